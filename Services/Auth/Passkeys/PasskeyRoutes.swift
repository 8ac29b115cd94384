import Access
import Bootstrap
import Cryptography
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// Passkeys over HTTP: what `navigator.credentials` needs and what it answers.
@LoopActor struct PasskeyRoutes {
    let host: Host
    let passkeys: Passkeys
    let factors: FactorRoutes
    let signIn: SignIn

    var table: [Route] {
        [
            .post("/v1/auth/passkeys/registration", for: .signedIn, Self.optionsDocs, registrationOptions)
                .openWhileEnrolling().afterStepUp(),
            .post("/v1/auth/passkeys", for: .signedIn, Self.registerDocs, register).openWhileEnrolling(),
            .get("/v1/auth/passkeys", for: .signedIn, Self.listDocs, list).openWhileEnrolling(),
            .delete("/v1/auth/passkeys/:id", for: .signedIn, Self.removeDocs, remove).afterStepUp(),
            .anyone("POST", "/v1/auth/passkeys/challenge", Self.challengeDocs, challenge),
            .anyone("POST", "/v1/auth/passkeys/sign-in", Self.signInDocs, authenticate),
        ]
    }

    private func registrationOptions(_ request: Request, by caller: Principal) async throws -> Response {
        let reader = host.db.reader(for: caller.tenant)
        let accounts = AccountStore(sql: reader, vault: try await signIn.vaults.vault(of: caller.tenant, reader))
        guard let account = try await accounts.find(caller.account) else { throw TokenRefusal.revoked }
        return .json(
            200,
            RegistrationOptions(
                challenge: passkeys.challenges.make(for: .register(caller.account), at: host.now()), party: passkeys.party,
                user: UserHandle(tenant: caller.tenant, account: caller.account), account: account,
                known: try await PasskeyStore(sql: reader).list(of: caller.account)))
    }

    private func register(_ request: Request, by caller: Principal) async throws -> Response {
        try await host.write(request, by: caller) { tx in
            let passkey = try await passkeys.register(request.body, for: caller.account, tx)
            let store = try await factors.factor.store(for: caller.tenant, tx)
            let codes = try await factors.enrolled(by: caller, store, at: host.now(), tx)
            try await factors.notices.tell(caller.account, in: caller.tenant, of: .passkey, tx)
            try tx.audit("enrol", "factor", passkey.id.description, after: FactorRoutes.kind("passkey"))
            return .json(201, RegisteredView(id: passkey.id, codes: codes))
        }
    }

    private func list(_ request: Request, by caller: Principal) async throws -> Response {
        let found = try await PasskeyStore(sql: host.db.reader(for: caller.tenant)).list(of: caller.account)
        return .page(found.map { PasskeyView(passkey: $0) }, next: nil, of: request)
    }

    private func remove(_ request: Request, by caller: Principal) async throws -> Response {
        let id = try request.id("id", of: PasskeyKind.self)
        return try await host.write(request, by: caller) { tx in
            guard try await PasskeyStore(sql: tx).remove(id, of: caller.account) else { throw Problem.notFound("passkey") }
            let store = try await factors.factor.store(for: caller.tenant, tx)
            try await factors.factor.requireEnough(of: caller, store, tx)
            try await factors.notices.tell(caller.account, in: caller.tenant, of: .passkey, tx)
            try tx.audit("remove", "factor", id.description, after: FactorRoutes.kind("passkey"))
            return .noContent
        }
    }

    /// The same for everybody, known or not.
    private func challenge(_ request: Request) async throws -> Response {
        var response = Response.json(
            200, AssertionOptions(challenge: passkeys.challenges.make(for: .signIn, at: host.now()), party: passkeys.party))
        response.headers.append(("Cache-Control", "no-store"))
        return response
    }

    /// The device knows who it is for; whoever has it and can unlock it has shown two factors.
    private func authenticate(_ request: Request) async throws -> Response {
        guard let user = UserHandle(try Passkeys.bytes("userHandle", of: request.body)) else { throw PasskeyError.malformed }
        let assertion = try Passkeys.Assertion(request.body)
        let cause = Cause(
            tenant: user.tenant, actor: user.account, role: "system", traceparent: request.traceparent)
        var response = try await host.transaction(for: user.tenant, as: cause) { tx in
            guard let credential = try await CredentialStore(sql: tx).readHolding(user.account), credential.isActive else {
                throw PasskeyError.unknown
            }
            try await passkeys.assert(assertion, of: user.account, tx)
            var response = Response.json(200, try await signIn.open(credential, .multi, in: user.tenant, tx))
            let accounts = AccountStore(sql: tx, vault: try await signIn.vaults.vault(of: user.tenant, tx))
            if let owner = try await accounts.find(user.account) {
                response.headers.append(signIn.devices.header(for: owner.email))
            }
            return response
        }
        response.headers.append(("Cache-Control", "no-store"))
        return response
    }
}

/// The client is told what it can do something about.
extension PasskeyError: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .registeredAlready: .conflict("passkey_registered", "This device has a passkey here already.")
        case .tooMany: .refused("too_many_passkeys", "Remove a passkey that you no longer use first.")
        case .unsupportedKey: .refused("passkey_unsupported", "This device's kind of key is not supported.")
        default:
            Problem(401, "passkey_invalid", "The passkey could not be checked. Ask for a new challenge and try again.")
                .challenging()
        }
    }
}

extension Problem {
    fileprivate func challenging() -> Problem {
        var problem = self
        problem.headers = [("WWW-Authenticate", #"Bearer realm="polyclinic""#)]
        return problem
    }
}
