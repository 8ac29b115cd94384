import Access
import Bootstrap
import Cryptography
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// Signing in, staying in and leaving.
@LoopActor struct SessionRoutes {
    let host: Host
    let signIn: SignIn
    let refreshing: RefreshSession
    let vaults: Vaults
    let hashing: PasswordHash
    let passwords: PasswordPolicy
    let guesses: GuessTally

    var table: [Route] {
        [
            .anyone("POST", "/v1/auth/login", Self.loginDocs, login),
            .anyone("POST", "/v1/auth/refresh", Self.refreshDocs, refresh),
            .anyone("POST", "/v1/auth/logout", Self.logoutDocs, logout),
            .get("/v1/auth/me", for: .signedIn, Self.meDocs, me),
            .post("/v1/auth/password", for: .signedIn, Self.passwordDocs, changePassword),
            .anyone("GET", "/.well-known/jwks.json", Self.keysDocs, publicKeys),
        ]
    }

    private func login(_ request: Request) async throws -> Response {
        let email: String = try request.body.required("email")
        let pair = try await signIn(
            email: email, password: try request.body.required("password"),
            otp: try request.body.optional("otp"), newPassword: try request.body.optional("newPassword"), request)
        var response = secret(.json(200, pair))
        response.headers.append(signIn.devices.header(for: email))
        return response
    }

    private func refresh(_ request: Request) async throws -> Response {
        guard let token = RefreshToken(try request.body.required("refreshToken")) else { throw SignInError.refreshInvalid }
        return secret(.json(200, try await refreshing(token, request)))
    }

    /// Ends the session of any of its tokens. An unknown one has nothing to end, and whether it has is not said.
    private func logout(_ request: Request) async throws -> Response {
        guard let token = RefreshToken(try request.body.required("refreshToken")) else { return .noContent }
        let cause = Cause(tenant: token.tenant, actor: nil, role: "system", traceparent: request.traceparent)
        try await host.transaction(for: token.tenant, as: cause) { tx in
            let sessions = SessionStore(sql: tx)
            guard try await sessions.find(token) != nil else { return }
            _ = try await EndSession(host: host)(token.session, of: token.tenant, because: .signedOut, tx)
        }
        return .noContent
    }

    private func me(_ request: Request, by caller: Principal) async throws -> Response {
        let reader = host.db.reader(for: caller.tenant)
        let store = AccountStore(sql: reader, vault: try await vaults.vault(of: caller.tenant, reader))
        guard let account = try await store.find(caller.account), account.isActive else { throw TokenRefusal.revoked }
        return .json(200, CallerView(account: account, caller: caller))
    }

    /// Ends all other sessions: whoever knew the old password is out.
    private func changePassword(_ request: Request, by caller: Principal) async throws -> Response {
        let current: String = try request.body.required("currentPassword")
        let next: String = try request.body.required("newPassword")
        let hashing = hashing
        let reader = host.db.reader(for: caller.tenant)
        guard let credential = try await CredentialStore(sql: reader).read(caller.account), credential.isActive else {
            throw TokenRefusal.revoked
        }
        let hasFactor = try await signIn.factor.standing(of: caller.account, in: caller.tenant, reader).hasSecondFactor
        try await passwords.require(next, for: caller, hasSecondFactor: hasFactor, vaults: vaults, reader)
        let keys = guesses.keys(of: caller.account, from: request.network)
        try await guesses.count(keys)
        let new: String? = try await host.blocking.run {
            guard try hashing.verify(current, against: credential.passwordHash) else { return nil }
            return try hashing.make(next)
        }
        guard let new else {
            let cause = Cause(
                tenant: caller.tenant, actor: caller.account, role: caller.mainRole.rawValue, traceparent: request.traceparent)
            try await Audit.denied("change_password", "account", caller.account.description, cause: cause, in: host.db)
            throw Problem.refused("password_wrong", "The current password is not right.")
        }

        return try await host.write(request, by: caller) { tx in
            let store = CredentialStore(sql: tx)
            guard try await store.save(new, standsAlone: PasswordPolicy.standsAlone(next), of: caller.account, insteadOf: credential.passwordHash) else {
                throw Problem.conflict("password_changed", "The password was changed meanwhile.")
            }
            try await EndSession(host: host).all(
                of: caller.account, in: caller.tenant, except: caller.session, because: .passwordChanged, tx)
            try await AttemptStore(sql: tx).endBrowsers(of: caller.account, at: host.now())
            try await guesses.clear(keys, tx)
            try await signIn.notices.tell(caller.account, in: caller.tenant, of: .password, tx)
            try tx.audit("change_password", "account", caller.account.description)
            return .noContent
        }
    }

    private func publicKeys(_ request: Request) async throws -> Response {
        var response = Response.json(200, host.verifier.keys)
        response.headers.append(("Cache-Control", "public, max-age=300"))
        return response
    }

    private func secret(_ response: Response) -> Response {
        var response = response
        response.headers.append(("Cache-Control", "no-store"))
        return response
    }
}

/// The one place where refusals of signing in become HTTP.
extension SignInError: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .invalidCredentials:
            Self.challenge(Problem(401, "invalid_credentials", "The e-mail address or the password is not right."))
        case .tooManyAttempts(let wait):
            Self.wait(wait)
        case .otpRequired:
            Self.challenge(
                Problem(401, "otp_required", "Send the code of your authenticator app as otp, or sign in with a passkey."))
        case .otpWrong:
            Self.challenge(Problem(401, "otp_wrong", "The code is not right, or was used before. Wait for the next."))
        case .passwordChangeRequired:
            Self.challenge(
                Problem(401, "password_change_required", "This password is for the first sign-in: send your own as newPassword beside it."))
        case .refreshInvalid:
            Self.challenge(Problem(401, "token_invalid", "The refresh token is not valid. Sign in again."))
        case .refreshReused:
            Self.challenge(
                Problem(401, "token_reused", "This refresh token was used before, so its session was ended. Sign in again."))
        }
    }

    private static func challenge(_ problem: Problem) -> Problem {
        var problem = problem
        problem.headers = [("WWW-Authenticate", #"Bearer realm="polyclinic""#)]
        return problem
    }

    private static func wait(_ seconds: Int64) -> Problem {
        var problem = Problem(429, "too_many_attempts", "Too many attempts. Wait as long as Retry-After says.")
        problem.headers = [("Retry-After", "\(seconds)")]
        return problem
    }
}

/// What a client's first screen needs.
private struct CallerView: JSONWritable {
    let account: Account
    let caller: Principal

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("id", account.id)
            $0.field("name", account.name)
            $0.field(account.email.hasPrefix("+") ? "phone" : "email", account.email)
            $0.field("roles", account.roleNames)
            $0.field("tenantId", caller.tenant)
            $0.field("locationId", caller.location)
            $0.field("zone", caller.zone)
            $0.field("currency", caller.currency)
            $0.field("patientId", account.patient)
        }
    }
}

extension SessionRoutes {
    private static let refreshBody = Schema.object([.required("refreshToken", .text(max: 200))])

    private static let loginDocs = Route.Docs(
        "Sign in with an e-mail address and a password",
        body: .object([
            .required("email", .text(max: 254)), .required("password", .text(max: 128)),
            .optional("otp", .text(max: 24), "The code of the app, or a recovery code, when there is a second factor"),
            .optional(
                "newPassword", .text(min: 8, max: 128), "Instead of a temporary password, which opens nothing else; else not looked at"),
        ]),
        answers: [(200, .object(TokenPair.fields + [.required("user", SignedInUser.schema)]))],
        problems: ["invalid_credentials", "password_change_required", "otp_required", "otp_wrong", "too_many_attempts", "unavailable"])

    private static let refreshDocs = Route.Docs(
        "Exchange a refresh token for the next pair",
        body: refreshBody, answers: [(200, .object(TokenPair.fields))], problems: ["token_invalid", "token_reused"])

    private static let logoutDocs = Route.Docs(
        "End the session of a refresh token", body: refreshBody, answers: [(204, nil)])

    private static let meDocs = Route.Docs(
        "Say who is signed in",
        answers: [
            (
                200,
                .object([
                    .required("id", .id), .required("name", .text(max: 200)), .optional("email", .text(max: 254)),
                    .optional("phone", .text(max: 16)),
                    .required("roles", .list(of: .choice(Role.allCases.map(\.rawValue)), max: 12)),
                    .required("tenantId", .id), .required("locationId", .id), .required("zone", .text(max: 64)),
                    .required("currency", .text(min: 3, max: 3)), .optional("patientId", .id),
                ])
            )
        ])

    private static let passwordDocs = Route.Docs(
        "Change the own password and end all other sessions",
        body: .object([
            .required("currentPassword", .text(max: 128)), .required("newPassword", .text(min: 8, max: 128), "At least 15 characters, or 8 beside a second factor"),
        ]),
        answers: [(204, nil)], problems: ["password_wrong", "password_changed", "too_many_attempts"])

    private static let keysDocs = Route.Docs(
        "The public keys that access tokens are verified with (RFC 7517)", answers: [(200, .any)])
}
