import Access
import Bootstrap
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// What somebody agreed that applications may do: seen and taken back.
@LoopActor struct ConsentRoutes {
    let host: Host

    var table: [Route] {
        [
            .get("/v1/auth/consents", for: .signedIn, Self.listDocs, list),
            .delete("/v1/auth/consents/:client", for: .signedIn, Self.withdrawDocs, withdraw),
        ]
    }

    private func list(_ request: Request, by caller: Principal) async throws -> Response {
        let agreed = try await AttemptStore(sql: host.db.reader(for: caller.tenant)).consents(of: caller.account)
        return .page(agreed.map { ConsentView(consent: $0) }, next: nil, of: request)
    }

    /// The application is out at once: its sessions end, with their refresh and access tokens, and it must ask again.
    private func withdraw(_ request: Request, by caller: Principal) async throws -> Response {
        let client = try request.id("client", of: Client.self)
        return try await host.write(request, by: caller) { tx in
            guard try await AttemptStore(sql: tx).withdraw(caller.account, client) else { throw Problem.notFound("consent") }
            for session in try await SessionStore(sql: tx).live(of: caller.account, at: client) {
                _ = try await EndSession(host: host)(session, of: caller.tenant, because: .consentWithdrawn, tx)
            }
            let after = JSONObject([("account", .string(caller.account.description))])
            try tx.audit("withdraw_consent", "client", client.description, after: after)
            return .noContent
        }
    }

    private static let listDocs = Route.Docs(
        "List what the caller agreed that applications may do",
        answers: [(200, .object([.required("items", .list(of: ConsentView.schema, max: 100)), .optional("nextCursor", .text(max: 500))]))])
    private static let withdrawDocs = Route.Docs(
        "Take it back: the application's sessions end at once, and it must ask again", answers: [(204, nil)])
}

private struct ConsentView: JSONWritable {
    let consent: Consent

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("clientId", consent.client)
            $0.field("name", consent.name)
            $0.field("scopes", consent.scopes.names)
            $0.field("agreedAt", consent.agreedAt)
        }
    }

    static let schema = Schema.object([
        .required("clientId", .id), .required("name", .text(max: 200)),
        .required("scopes", .list(of: .choice(Scope.allCases.map(\.rawValue)), max: Scope.allCases.count)), .required("agreedAt", .instant),
    ])
}
