import Access
import Bootstrap
import Cryptography
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// What somebody proves themselves with beside the password: shown, enrolled, removed.
@LoopActor struct FactorRoutes {
    let host: Host
    let factor: SecondFactor
    let vaults: Vaults
    let staffSessionLife: Duration
    let notices: SecurityNotice

    var table: [Route] {
        [
            .get("/v1/auth/factors", for: .signedIn, Self.listDocs, list).openWhileEnrolling(),
            .post("/v1/auth/factors/totp", for: .signedIn, Self.enrolDocs, enrol).openWhileEnrolling().afterStepUp(),
            .post("/v1/auth/factors/totp/confirmation", for: .signedIn, Self.confirmDocs, confirm).openWhileEnrolling(),
            .delete("/v1/auth/factors/totp", for: .signedIn, Self.removeDocs, remove).afterStepUp(),
            .post("/v1/auth/factors/recovery-codes", for: .signedIn, Self.codesDocs, renewCodes).afterStepUp(),
            .delete("/v1/users/:id/factors", for: .manageUsers, Self.resetDocs, reset).afterStepUp(),
        ]
    }

    private func list(_ request: Request, by caller: Principal) async throws -> Response {
        let reader = host.db.reader(for: caller.tenant)
        let standing = try await factor.standing(of: caller.account, in: caller.tenant, reader)
        let isAsked = try await factor.policy.asks(caller.roles, reader)
        return .json(200, StandingView(standing: standing, isRequired: isAsked))
    }

    /// The secret leaves once, here. Beginning again before it is confirmed makes a new one.
    private func enrol(_ request: Request, by caller: Principal) async throws -> Response {
        let totp = TOTP()
        return try await host.write(request, by: caller) { tx in
            let store = try await factor.store(for: caller.tenant, tx)
            let accounts = AccountStore(sql: tx, vault: store.vault)
            guard let account = try await accounts.find(caller.account) else { throw TokenRefusal.revoked }
            guard try await store.enrol(totp, for: caller.account, at: host.now()) else { throw FactorError.enrolledAlready }
            return .json(201, EnrolmentView(totp: totp, uri: totp.uri(issuer: "Polyclinic", account: account.email)))
        }
    }

    private func confirm(_ request: Request, by caller: Principal) async throws -> Response {
        let code: String = try request.body.required("code")
        return try await host.write(request, by: caller) { tx in
            let now = host.now()
            let store = try await factor.store(for: caller.tenant, tx)
            guard let totp = try await store.pending(of: caller.account) else { throw FactorError.nothingToConfirm }
            guard let step = totp.step(of: code, at: now), try await store.confirm(step, of: caller.account, at: now) else {
                throw FactorError.codeWrong
            }
            try await notices.tell(caller.account, in: caller.tenant, of: .factor, tx)
            try tx.audit("enrol", "factor", caller.account.description, after: Self.kind("totp"))
            return .json(201, try await enrolled(by: caller, store, at: now, tx))
        }
    }

    /// After a first factor: codes for the day it is lost, and a session that is worth two factors from now on.
    func enrolled(
        by caller: Principal, _ store: FactorStore, at now: Timestamp, _ tx: Transaction
    ) async throws -> RecoveryCodesView {
        let codes = try await store.standing(of: caller.account).recoveryCodes > 0 ? [] : factor.freshCodes(of: caller.account, store)
        let end = caller.assurance == .enrolling ? now.adding(seconds: staffSessionLife.components.seconds) : nil
        _ = try await SessionStore(sql: tx).prove(caller.session, .multi, until: end, at: now)
        return RecoveryCodesView(codes: codes)
    }

    private func renewCodes(_ request: Request, by caller: Principal) async throws -> Response {
        try await host.write(request, by: caller) { tx in
            let store = try await factor.store(for: caller.tenant, tx)
            guard try await store.standing(of: caller.account).hasSecondFactor else { throw FactorError.nothingToConfirm }
            let codes = try await factor.freshCodes(of: caller.account, store)
            try await notices.tell(caller.account, in: caller.tenant, of: .factor, tx)
            try tx.audit("renew", "factor", caller.account.description, after: Self.kind("recovery_codes"))
            return .json(201, RecoveryCodesView(codes: codes))
        }
    }

    private func remove(_ request: Request, by caller: Principal) async throws -> Response {
        try await host.write(request, by: caller) { tx in
            let store = try await factor.store(for: caller.tenant, tx)
            guard try await store.removeTOTP(of: caller.account) else { throw Problem.notFound("factor") }
            try await factor.requireEnough(of: caller, store, tx)
            try await notices.tell(caller.account, in: caller.tenant, of: .factor, tx)
            try tx.audit("remove", "factor", caller.account.description, after: Self.kind("totp"))
            return .noContent
        }
    }

    /// For somebody who lost everything and came to the administrator's desk. Their sessions end: whoever has the
    /// phone may have those, too.
    private func reset(_ request: Request, by caller: Principal) async throws -> Response {
        let id = try request.id("id", of: Primitives.Account.self)
        return try await host.write(request, by: caller) { tx in
            let store = try await factor.store(for: caller.tenant, tx)
            guard let owner = try await AccountStore(sql: tx, vault: store.vault).find(id) else { throw Problem.notFound("user") }
            try await factor.removeAll(of: id, store)
            try await EndSession(host: host).all(of: id, in: caller.tenant, because: .passwordChanged, tx)
            try await AttemptStore(sql: tx).endBrowsers(of: id, at: host.now())
            try await notices.tell(owner.email, of: .factor, tx)
            try tx.audit("reset", "factor", id.description)
            return .noContent
        }
    }

    nonisolated static func kind(_ kind: String) -> JSONObject { JSONObject([("kind", .string(kind))]) }
}

enum FactorError: Error, Equatable {
    case enrolledAlready
    case nothingToConfirm
    case codeWrong
    case lastFactor
    case passwordTooShortAlone
}

extension FactorError: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .enrolledAlready: .conflict("factor_enrolled", "Remove the authenticator that is there first.")
        case .nothingToConfirm: .refused("factor_missing", "Begin enrolling first.")
        case .codeWrong: .refused("otp_wrong", "This is not the code of this moment. Check the phone's clock and try the next.")
        case .lastFactor: .refused("factor_required", "Your clinic asks for a second factor: enrol another one first.")
        case .passwordTooShortAlone:
            .refused("password_too_short", "Choose a password of at least 15 characters before removing the last factor.")
        }
    }
}

private struct StandingView: JSONWritable {
    let standing: Standing
    let isRequired: Bool

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("totp", standing.hasTOTP)
            $0.field("passkeys", standing.passkeys)
            $0.field("recoveryCodes", standing.recoveryCodes)
            $0.field("required", isRequired)
        }
    }
}

private struct EnrolmentView: JSONWritable {
    let totp: TOTP
    let uri: String

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("secret", Base32.encode(totp.secret))
            $0.field("uri", uri)
        }
    }
}

struct RecoveryCodesView: JSONWritable {
    let codes: [RecoveryCode]

    func write(to json: inout JSONWriter) {
        json.object { $0.field("recoveryCodes", codes.map(\.text)) }
    }

    static let schema = Schema.object([
        .required("recoveryCodes", .list(of: .text(max: 19), max: RecoveryCode.count), "Shown once; empty when there are some already")
    ])
}

extension FactorRoutes {
    private static let listDocs = Route.Docs(
        "Say what the caller can prove themselves with",
        answers: [
            (
                200,
                .object([
                    .required("totp", .boolean), .required("passkeys", .integer(0...20)),
                    .required("recoveryCodes", .integer(0...10), "How many are unused"),
                    .required("required", .boolean, "Whether the clinic asks this person for a second factor"),
                ])
            )
        ])

    private static let enrolDocs = Route.Docs(
        "Begin to enrol an authenticator app (RFC 6238)",
        answers: [
            (201, .object([.required("secret", .text(max: 64)), .required("uri", .text(max: 1000), "For a QR code")]))
        ], problems: ["factor_enrolled"])

    private static let confirmDocs = Route.Docs(
        "Confirm the authenticator app with a first code. Refresh afterwards: the session is worth two factors then",
        body: .object([.required("code", .text(min: 6, max: 6))]),
        answers: [(201, RecoveryCodesView.schema)], problems: ["otp_wrong", "factor_missing"])

    private static let removeDocs = Route.Docs(
        "Remove the authenticator app", answers: [(204, nil)], problems: ["factor_required", "password_too_short"])

    private static let codesDocs = Route.Docs(
        "Make ten new recovery codes; the old ones are void", answers: [(201, RecoveryCodesView.schema)],
        problems: ["factor_missing"])

    private static let resetDocs = Route.Docs(
        "Remove all of somebody's second factors and end their sessions", answers: [(204, nil)])
}
