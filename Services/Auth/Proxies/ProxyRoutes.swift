import Access
import Bootstrap
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// Who may act for which patient, over HTTP: granted by the desk with a proof, or by the patient.
@LoopActor struct ProxyRoutes {
    let host: Host
    let vaults: Vaults

    /// A token names those its owner acts for, so there is a bound.
    static let limitPerAccount = 20

    var table: [Route] {
        [
            .get("/v1/auth/proxies", for: .signedIn, Self.listDocs, list),
            .post("/v1/auth/proxies", for: .grantProxies, Self.grantDocs, grant).afterStepUp(),
            .delete("/v1/auth/proxies/:id", for: .grantProxies, Self.revokeDocs, revoke),
        ]
    }

    /// A patient sees who acts for them, a proxy for whom they act, the desk those of a patient it names.
    private func list(_ request: Request, by caller: Principal) async throws -> Response {
        var patient: PatientID? = try request.query.optional("patientId")
        var account: AccountID?
        if caller.roles.isDisjoint(with: [.reception, .admin]) {
            guard patient == nil || patient == caller.patient else { throw Problem.forbidden }
            patient = caller.patient
            account = caller.account
        } else if patient == nil {
            account = caller.account
        }
        let reader = host.db.reader(for: caller.tenant)
        let store = ProxyGrantStore(sql: reader, vault: try await vaults.vault(of: caller.tenant, reader))
        let found = try await store.list(patient: patient, account: account)
        caller.trail?.listed("proxy_list", found.map(\.patient))
        return .page(found.map { ProxyGrantView(grant: $0) }, next: nil, of: request)
    }

    private func grant(_ request: Request, by caller: Principal) async throws -> Response {
        let patient: PatientID = try request.body.required("patientId")
        let asPatient = caller.roles.isDisjoint(with: [.reception, .admin])
        guard !asPatient || caller.patient == patient else { throw Problem.forbidden }
        let now = host.now()
        let grant = try ProxyGrant.grant(
            to: try request.body.required("accountId"), for: patient, as: try request.body.required("relation"),
            proof: try request.body.required("proof"), from: try request.body.optional("from") ?? caller.today(at: now),
            until: try request.body.optional("until"), by: caller.account, asPatient: asPatient, at: now)
        if !asPatient {
            let card = try await host.cards.ask("clinical", "/internal/cards/patients/\(patient)", as: caller)
            guard card != nil else { throw AccountError.patientUnknown }
        }
        return try await host.write(request, by: caller) { tx in
            let vault = try await vaults.vault(of: caller.tenant, tx)
            let accounts = AccountStore(sql: tx, vault: vault)
            guard let account = try await accounts.find(grant.account), account.isActive,
                !account.roles.isDisjoint(with: ProxyGrant.holders)
            else { throw ProxyError.notAProxy }
            let store = ProxyGrantStore(sql: tx, vault: vault)
            guard try await store.count(of: account.id) < Self.limitPerAccount else { throw ProxyError.tooMany }
            try await store.insert(grant)
            try tx.audit("grant", "proxy", grant.id.description, of: grant.patient, after: grant.audited)
            return .json(201, ProxyGrantView(grant: grant))
        }
    }

    /// Effective at once and everywhere: the sessions whose tokens name the patient end, and every service hears of it.
    private func revoke(_ request: Request, by caller: Principal) async throws -> Response {
        let id = try request.id("id", of: ProxyGrant.self)
        return try await host.write(request, by: caller) { tx in
            let store = ProxyGrantStore(sql: tx, vault: try await vaults.vault(of: caller.tenant, tx))
            let isDesk = !caller.roles.isDisjoint(with: [.reception, .admin])
            guard let grant = try await store.findForUpdate(id), isDesk || grant.patient == caller.patient else {
                throw Problem.notFound("proxy")
            }
            guard grant.revokedAt == nil else { return .noContent }
            // Whoever signs in meanwhile holds the account: their session is there to be ended, or begins after this.
            try await CredentialStore(sql: tx).lock(grant.account)
            try await store.revoke(id, by: caller.account, at: host.now())
            try await EndSession(host: host).all(of: grant.account, in: caller.tenant, because: .rolesChanged, tx)
            try tx.audit("revoke", "proxy", id.description, of: grant.patient, before: grant.audited)
            return .noContent
        }
    }
}

extension ProxyError: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .toOneself: .refused("own_grant", "Somebody else must give you this.")
        case .endsBeforeItBegins: .invalid("until", "out_of_range", "It ends before it begins.")
        case .endMissing:
            .invalid("until", "required", "Say the last day a parent or guardian acts: at the latest the one before the patient comes of age.")
        case .endTooLate: .invalid("until", "out_of_range", "A parent or guardian acts for 18 years at most: until the patient comes of age.")
        case .proofOfTheDesk: .invalid("proof", "not_a_choice", "As the patient, say patient_consent.")
        case .grantedAlready: .conflict("proxy_exists", "This person may act for this patient already.")
        case .notAProxy: .refused("not_a_proxy", "There is no active account of a proxy or patient with this id.")
        case .tooMany: .refused("too_many_proxies", "This person acts for enough patients.")
        }
    }
}

struct ProxyGrantView: JSONWritable {
    let grant: ProxyGrant

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("id", grant.id)
            $0.field("accountId", grant.account)
            $0.field("patientId", grant.patient)
            $0.field("relation", grant.relation.rawValue)
            $0.field("proof", grant.proof.rawValue)
            $0.field("from", grant.from)
            $0.field("until", grant.until)
            $0.field("grantedAt", grant.grantedAt)
            $0.field("revokedAt", grant.revokedAt)
        }
    }

    static let relation = Schema.choice(ProxyGrant.Relation.allCases.map(\.rawValue))
    static let proof = Schema.choice(ProxyGrant.Proof.allCases.map(\.rawValue))
    static let schema = Schema.object([
        .required("id", .id), .required("accountId", .id), .required("patientId", .id), .required("relation", relation),
        .required("proof", proof), .required("from", .date), .optional("until", .date), .required("grantedAt", .instant),
        .optional("revokedAt", .instant),
    ])
}

extension ProxyGrantStore {
    /// All of a patient, or of an account, for somebody's export.
    func export(patient: PatientID?, account: AccountID?) async throws -> [UInt8] {
        let all = try await list(patient: patient, account: account, limit: PersonExport.most + 1)
        try PersonExport.checkWhole(all.count)
        return all.map { ProxyGrantView(grant: $0) }.jsonBytes
    }
}

extension ProxyRoutes {
    private static let listDocs = Route.Docs(
        "List who acts for a patient, or for whom the caller acts", query: [.optional("patientId", .id)],
        answers: [(200, .object([.required("items", .list(of: ProxyGrantView.schema, max: 100)), .optional("nextCursor", .text(max: 500))]))])
    private static let grantDocs = Route.Docs(
        "Let somebody act for a patient",
        body: .object([
            .required("accountId", .id, "Who may act"), .required("patientId", .id, "For whom"),
            .required("relation", ProxyGrantView.relation), .required("proof", ProxyGrantView.proof, "What was shown"),
            .optional("from", .date, "Today by default"), .optional("until", .date, "The last day; open-ended by default; of a parent or guardian, or by a birth certificate, required and within 18 years"),
        ]),
        answers: [(201, ProxyGrantView.schema)],
        problems: ["own_grant", "proxy_exists", "not_a_proxy", "too_many_proxies", "patient_unknown"])
    private static let revokeDocs = Route.Docs("End that somebody acts for a patient, at once", answers: [(204, nil)])
}
