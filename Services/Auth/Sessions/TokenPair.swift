import Access
import JSON
import Loop
import Postgres
import Primitives

/// What signing in and refreshing answer.
struct TokenPair: JSONWritable {
    let accessToken: String
    let refreshToken: String
    let expiresIn: Int64
    /// The clinic asks for a second factor and there is none yet: these tokens are good for enrolling one.
    var mustEnrol: Bool?
    /// Only signing in says who this is.
    var user: SignedInUser?

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("accessToken", accessToken)
            $0.field("refreshToken", refreshToken)
            $0.field("tokenType", "Bearer")
            $0.field("expiresIn", expiresIn)
            $0.field("mustEnrol", mustEnrol)
            $0.field("user", user)
        }
    }

    static let fields: [Schema.Field] = [
        .required("accessToken", .text(max: 4096)), .required("refreshToken", .text(max: 100)),
        .required("tokenType", .choice(["Bearer"])), .required("expiresIn", .integer(0...900), "Seconds"),
        .optional("mustEnrol", .boolean, "The clinic asks staff for a second factor: enrol one, then sign in again"),
    ]
}

struct SignedInUser: JSONWritable {
    let id: AccountID
    let name: String
    let roles: [String]
    let tenant: TenantID

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("id", id)
            $0.field("name", name)
            $0.field("roles", roles)
            $0.field("tenantId", tenant)
        }
    }

    static let schema = Schema.object([
        .required("id", .id), .required("name", .text(max: 200)),
        .required("roles", .list(of: .choice(Role.allCases.map(\.rawValue)), max: 12)), .required("tenantId", .id),
    ])
}

/// Signs the access tokens of sessions.
@LoopActor struct TokenIssuer {
    let signing: Signing
    let settings: SettingsReader
    let vaults: Vaults

    /// An access token never outlives its session.
    func pair(
        _ credential: Credential, _ tenant: TenantID, _ session: Session, _ refresh: RefreshToken,
        _ sql: any SQLSession, at now: Timestamp
    ) async throws -> TokenPair {
        let (token, seconds) = try await access(credential, tenant, session, sql, at: now)
        return TokenPair(
            accessToken: token, refreshToken: refresh.text, expiresIn: seconds,
            mustEnrol: session.assurance == .enrolling ? true : nil)
    }

    /// The access token alone, and for how many seconds it is good.
    func access(
        _ credential: Credential, _ tenant: TenantID, _ session: Session, _ sql: any SQLSession, at now: Timestamp
    ) async throws -> (token: String, seconds: Int64) {
        let life = Int64(try await settings(of: tenant, sql).accessTokenSeconds)
        let end = min(now.adding(seconds: life), session.expiresAt)
        let token = AccessToken(
            account: credential.account, tenant: tenant, roles: credential.roles, session: session.id,
            location: credential.location, zone: credential.zone, currency: credential.currency,
            patient: credential.patient, issuedAt: now, expiresAt: end,
            authenticatedAt: session.authenticatedAt ?? session.startedAt, assurance: session.assurance,
            actsFor: try await credential.actsFor(vaults, in: tenant, sql, at: now))
        return (try signing.mint.sign(token), end.seconds(since: now))
    }
}
