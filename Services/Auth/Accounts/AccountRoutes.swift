import Access
import Bootstrap
import Contracts
import Cryptography
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// Accounts over HTTP, for administrators.
@LoopActor struct AccountRoutes {
    let host: Host
    let vaults: Vaults
    let emailIndex: EmailIndex
    let hashing: PasswordHash
    let notices: SecurityNotice

    var table: [Route] {
        [
            .get("/v1/users", for: .manageUsers, Self.listDocs, list),
            .post("/v1/users", for: .manageUsers, Self.createDocs, create).afterStepUp(),
            .get("/v1/users/:id", for: .manageUsers, Self.showDocs, show),
            .patch("/v1/users/:id", for: .manageUsers, Self.changeDocs, change).afterStepUp(),
        ]
    }

    private func list(_ request: Request, by caller: Principal) async throws -> Response {
        let limit: Int = try request.query.optional("limit") ?? 50
        let found = try await store(for: caller).page(
            role: try request.query.optional("role"), isActive: try request.query.optional("active"),
            after: try IDCursor.read(try request.query.optional("cursor")), limit: limit + 1)
        let next = found.count > limit ? found.prefix(limit).last.map { Cursor.encode([$0.id.description]) } : nil
        return .page(found.prefix(limit).map { AccountView($0) }, next: next, of: request)
    }

    private func show(_ request: Request, by caller: Principal) async throws -> Response {
        guard let account = try await store(for: caller).find(try request.id("id")) else { throw Problem.notFound("user") }
        return .json(200, AccountView(account), version: account.version)
    }

    private func create(_ request: Request, by caller: Principal) async throws -> Response {
        guard let email = EmailAddress(try request.body.required("email")) else { throw AccountError.emailInvalid }
        let account = try Account.create(
            name: try request.body.required("name"), email: email,
            roles: Set(try request.body.required("roles", as: [Role].self)),
            location: try request.body.optional("locationId") ?? caller.location,
            patient: try request.body.optional("patientId"), at: host.now())
        if let patient = account.patient {
            let card = try await host.cards.ask("clinical", "/internal/cards/patients/\(patient)", as: caller)
            guard card != nil else { throw AccountError.patientUnknown }
        }
        let licence = try attested(request, for: account, by: caller)
        let password = TemporaryPassword(at: host.now())
        let hashing = hashing
        let hash = try await host.blocking.run { try hashing.make(password.text) }

        return try await host.write(request, by: caller) { tx in
            let created = CreateAccount(vaults: vaults, emailIndex: emailIndex)
            try await created(account, email: email, passwordHash: hash, expiresAt: password.expiresAt, in: caller.tenant, tx)
            if let licence {
                let store = LicenceStore(sql: tx, vault: try await vaults.vault(of: caller.tenant, tx))
                let verified = LicenceVerified(accountID: account.id, validUntil: licence.validUntil)
                try tx.announce(verified, revision: try await store.save(licence))
                try tx.audit("attest", "licence", account.id.description, after: licence.audited)
            }
            let view = AccountView(account, temporaryPassword: password)
            return .created(view, version: account.version, at: "/v1/users/\(account.id)")
        }
    }

    /// The licence of a new doctor, when the administrator has the papers before them and says so.
    private func attested(_ request: Request, for account: Account, by caller: Principal) throws -> Licence? {
        guard let shown = try request.body.optional("licence", as: JSONObject.self) else { return nil }
        guard account.roles.contains(.doctor) else { throw LicenceError.notADoctor }
        let now = host.now()
        return try Licence.attested(
            account.id, number: try shown.required("number"), authority: try shown.required("authority"),
            validUntil: try shown.required("validUntil"), seen: Set(try shown.required("seen", as: [LicenceDocument.Kind].self)),
            by: caller.account, today: caller.today(at: now), at: now)
    }

    private func change(_ request: Request, by caller: Principal) async throws -> Response {
        let id = try request.id("id", of: Primitives.Account.self)
        let expected = try request.ifMatch()
        let contact: String? = try request.body.optional("contact")
        let change = Account.Change(
            name: try request.body.optional("name"),
            roles: try request.body.optional("roles", as: [Role].self).map { Set($0) },
            location: try request.body.optional("locationId"), isActive: try request.body.optional("active"),
            contact: try contact.map { typed in
                guard let contact = Contact(typed) else { throw ContactError.contactInvalid }
                return contact
            })
        // The own one is changed with a code to it, or a typing error shuts its owner out.
        if id == caller.account && change.contact != nil { throw AccountError.ownContact }

        var voidBefore: Timestamp?
        let response = try await host.write(request, by: caller) { tx in
            let store = AccountStore(sql: tx, vault: try await vaults.vault(of: caller.tenant, tx))
            guard let found = try await store.findForUpdate(id, withAdmins: change.touchesAccess) else {
                throw Problem.notFound("user")
            }
            guard found.account.version == expected else { throw Problem.staleVersion }
            var account = found.account
            // Who hands out roles takes none: laying one down is one's own affair.
            if let roles = change.roles, id == caller.account, !roles.isSubset(of: account.roles) {
                throw AccountError.ownRoles
            }
            // Behind the lock: a session that began before it is older than this. Unless a clock went back since:
            // no token that is out may be younger than the line that voids it.
            var now = host.now()
            if let last = try await SessionStore(sql: tx).lastIssue(to: id), last >= now {
                now = Timestamp(microseconds: last.microseconds + 1)
            }
            if let site = change.location, try await LocationStore(sql: tx).find(site) == nil {
                throw AccountError.locationUnknown
            }
            let outcome = try account.apply(change, isOnlyAdmin: found.isOnlyAdmin, at: now)
            guard try await store.update(account) else { throw Problem.staleVersion }
            if outcome.isReaddressed {
                try await store.move(id, to: emailIndex.index(of: account.email))
                try await notices.tell(found.account.email, of: .contact, tx)
            }
            try await announce(outcome, of: account, at: now, tx)
            if outcome.voidsTokens {
                let reason: Session.End = outcome.isDeactivated ? .deactivated : .rolesChanged
                // The account's own line voids all of its tokens at once, everywhere.
                _ = try await SessionStore(sql: tx).endAll(of: id, because: reason, at: now)
                tx.revokeTokens(of: id, tenant: caller.tenant, before: account.validFrom)
                voidBefore = account.validFrom
            }
            try tx.audit(
                "update", "account", id.description, before: found.account.audited,
                after: account.audited(after: outcome))
            if let patient = account.patient { tx.concerns(patient) }
            return .json(200, AccountView(account), version: expected + 1)
        }
        // The notification reaches every process of ours in milliseconds, and this one now.
        if let voidBefore { host.revocations.revoke(id, before: voidBefore) }
        return response
    }

    private func announce(_ outcome: Account.Outcome, of account: Account, at now: Timestamp, _ tx: Transaction) async throws {
        let revision = account.version + 1
        if outcome.hasNewDuties || (outcome.isRenamed && account.professionalName != nil) {
            guard let location = try await LocationStore(sql: tx).find(account.location) else {
                throw AccountError.locationUnknown
            }
            try tx.announce(AccountRolesChanged(account, zone: location.zone), revision: revision)
        }
        if outcome.isDeactivated { try tx.announce(AccountDeactivated(accountID: account.id, at: now), revision: revision) }
        if outcome.isReactivated { try tx.announce(AccountReactivated(accountID: account.id, at: now), revision: revision) }
    }

    private func store(for caller: Principal) async throws -> AccountStore {
        let reader = host.db.reader(for: caller.tenant)
        return AccountStore(sql: reader, vault: try await vaults.vault(of: caller.tenant, reader))
    }
}

/// The one place where an account's refusals become HTTP.
extension AccountError: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .emailInvalid: .invalid("email", "invalid_email", "Use an address like name@example.org.")
        case .emailTaken: .conflict("email_taken", "An account has this e-mail address already.")
        case .roleNotAssignable: .invalid("roles", "role_not_assignable", "Give one or more roles of people.")
        case .patientRequired: .invalid("patientId", "required", "An account of a patient needs the patient's id.")
        case .patientRoleRequired: .invalid("patientId", "unexpected", "Only an account with role patient has a patient's id.")
        case .patientUnknown: .refused("patient_unknown", "There is no such patient.")
        case .locationUnknown: .refused("location_unknown", "There is no such location.")
        case .lastAdmin: .refused("last_admin", "Make somebody else an administrator first.")
        case .ownRoles: Problem(403, "own_roles", "Another administrator must give you a role.")
        case .ownContact: Problem(403, "own_contact", "Change your own address with a code to it, or ask another administrator.")
        case .ownPassword: Problem(403, "own_password", "Change your own password with POST /v1/auth/password.")
        case .inactive: .refused("account_inactive", "This account is deactivated. Reactivate it first.")
        case .erased: .refused("account_erased", "This person was erased: there is nobody to reach.")
        }
    }
}
