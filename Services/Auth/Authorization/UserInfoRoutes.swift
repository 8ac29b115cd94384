import Access
import Bootstrap
import HTTP
import JSON
import Loop
import Postgres
import Primitives

/// Who a token's person is, for the client that holds it (OpenID Connect Core 5.3). It takes the token itself,
/// because no permission of ours stands for it: the scopes do.
@LoopActor struct UserInfoRoutes {
    let host: Host
    let vaults: Vaults
    let subjects: Subjects

    var table: [Route] {
        [
            .anyone("GET", "/oauth2/userinfo", Self.docs, show),
            .anyone("POST", "/oauth2/userinfo", Self.docs, show),
        ]
    }

    private func show(_ request: Request) async throws -> Response {
        let caller = try host.verifier.principal(of: request, at: host.now())
        guard let grant = caller.grant, grant.scopes.contains(.openid), let id = ClientID(grant.client) else {
            return Self.insufficient
        }
        let reader = host.db.reader(for: caller.tenant)
        let store = AccountStore(sql: reader, vault: try await vaults.vault(of: caller.tenant, reader))
        guard let account = try await store.find(caller.account), account.isActive,
            let client = try await ClientStore(sql: reader).find(id), client.isActive
        else { throw TokenRefusal.revoked }
        let subject = try await subjects.name(of: account.id, for: client, in: caller.tenant, reader)
        var json = JSONWriter()
        json.object {
            $0.field("sub", subject)
            if grant.scopes.contains(.profile) {
                $0.field("name", account.name)
                $0.field("roles", account.roleNames)
                $0.field("zoneinfo", caller.zone)
            }
            if grant.scopes.contains(.email) {
                $0.field(account.email.hasPrefix("+") ? "phone_number" : "email", account.email)
            }
        }
        return Response(
            200, headers: [("Content-Type", "application/json"), ("Cache-Control", "no-store")], body: .bytes(json.bytes))
    }

    /// RFC 6750 3.1.
    private static let insufficient = Response(
        403,
        headers: [("WWW-Authenticate", #"Bearer realm="polyclinic", error="insufficient_scope", scope="openid""#)])

    private static let docs = Route.Docs(
        "Say who a token's person is (OpenID Connect Core 5.3); needs scope openid", answers: [(200, .any)], isForm: true)
}
