import Access
import Bootstrap
import Cryptography
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// Proving again who one is, within a session: what a sensitive act asks for when the last proof is some time ago.
@LoopActor struct StepUpRoutes {
    let host: Host
    let factor: SecondFactor
    let passkeys: Passkeys
    let guesses: GuessTally
    let hashing: PasswordHash
    let issuer: TokenIssuer

    var table: [Route] {
        [.post("/v1/auth/step-up", for: .signedIn, Self.docs, stepUp)]
    }

    /// The code of whoever has one, else the password: someone at an open screen has neither.
    private func stepUp(_ request: Request, by caller: Principal) async throws -> Response {
        let otp: String? = try request.body.optional("otp")
        let password: String? = try request.body.optional("password")
        let keys = guesses.keys(of: caller.account, from: request.network)
        try await guesses.count(keys)

        let assertion = try request.body.optional("passkey", as: JSONObject.self).map { try Passkeys.Assertion($0) }
        let isRight = try await isPassword(password, of: caller)
        let proof = Shown(isPassword: isRight, otp: otp, assertion: assertion)
        let cause = Cause(
            tenant: caller.tenant, actor: caller.account, role: caller.mainRole.rawValue, traceparent: request.traceparent)
        do {
            let (token, seconds) = try await host.transaction(for: caller.tenant, as: cause) { tx in
                try await prove(caller, proof, keys, tx)
            }
            var response = Response.json(200, AccessView(token: token, expiresIn: seconds))
            response.headers.append(("Cache-Control", "no-store"))
            return response
        } catch SignInError.otpWrong {
            try await factor.noteFailure(of: caller.account, in: caller.tenant)
            try await Audit.denied("step_up", "account", caller.account.description, cause: cause, in: host.db)
            throw SignInError.otpWrong
        } catch SignInError.invalidCredentials {
            try await Audit.denied("step_up", "account", caller.account.description, cause: cause, in: host.db)
            throw SignInError.invalidCredentials
        }
    }

    /// What came with the request.
    private struct Shown {
        let isPassword: Bool
        let otp: String?
        let assertion: Passkeys.Assertion?
    }

    private func prove(
        _ caller: Principal, _ shown: Shown, _ keys: (both: Bytes, client: Bytes), _ tx: Transaction
    ) async throws -> (token: String, seconds: Int64) {
        let now = host.now()
        let store = try await factor.store(for: caller.tenant, tx)
        guard let credential = try await CredentialStore(sql: tx).readHolding(caller.account), credential.isActive else {
            throw TokenRefusal.revoked
        }
        var assurance = Assurance.single
        if let assertion = shown.assertion {
            try await passkeys.assert(assertion, of: caller.account, tx)
            assurance = .multi
        } else if try await store.standing(of: caller.account).hasSecondFactor {
            guard let otp = shown.otp else { throw SignInError.otpRequired }
            guard try await factor.spend(otp, of: caller.account, store, at: now) else { throw SignInError.otpWrong }
            assurance = .multi
        } else if !shown.isPassword {
            throw SignInError.invalidCredentials
        }
        let sessions = SessionStore(sql: tx)
        guard try await sessions.prove(caller.session, assurance, at: now),
            let session = try await sessions.findForUpdate(caller.session)
        else { throw TokenRefusal.revoked }
        try await guesses.clear(keys, tx)
        try tx.audit("step_up", "session", session.id.description)
        return try await issuer.access(credential, caller.tenant, session, tx, at: now)
    }

    private func isPassword(_ password: String?, of caller: Principal) async throws -> Bool {
        guard let password, let known = try await CredentialStore(sql: host.db.reader(for: caller.tenant)).read(caller.account)
        else { return false }
        let hashing = hashing
        return try await host.blocking.run { try hashing.verify(password, against: known.passwordHash) }
    }

    private struct AccessView: JSONWritable {
        let token: String
        let expiresIn: Int64

        func write(to json: inout JSONWriter) {
            json.object {
                $0.field("accessToken", token)
                $0.field("tokenType", "Bearer")
                $0.field("expiresIn", expiresIn)
            }
        }
    }

    private static let docs = Route.Docs(
        "Prove again who you are: the answer's access token is good for sensitive acts for a while",
        body: .object([
            .optional("otp", .text(max: 24), "The code of the app or a recovery code, when there is a second factor"),
            .optional("passkey", .object(Passkeys.assertionFields), "Instead, with the challenge of /v1/auth/passkeys/challenge"),
            .optional("password", .text(max: 128), "When there is none"),
        ]),
        answers: [
            (
                200,
                .object([
                    .required("accessToken", .text(max: 4096)), .required("tokenType", .choice(["Bearer"])),
                    .required("expiresIn", .integer(0...900), "Seconds"),
                ])
            )
        ], problems: ["otp_required", "otp_wrong", "invalid_credentials", "too_many_attempts"])
}
