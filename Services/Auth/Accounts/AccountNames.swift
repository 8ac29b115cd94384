import Access
import Bootstrap
import HTTP
import JSON
import Loop
import Postgres
import Primitives

/// What staff are called, for those who read the audit trail, on a path the gateway does not route.
///
/// Names of staff travel in no event (docs/decisions/0005): the trail keeps ids, and whoever may read it asks for the names
/// while reading. So a name that was corrected is right everywhere, and one that is gone is gone.
@LoopActor struct AccountNames {
    let host: Host
    let vaults: Vaults

    /// As many as a page of the trail has entries.
    private static let most = 100

    var route: Route {
        .get(
            "/internal/names/accounts", for: .readAudit,
            .init(
                "Tell what members of staff are called",
                query: [.optional("ids", .text(max: 37 * Self.most), "Ids of accounts, with commas between them")]), names)
    }

    private func names(_ request: Request, _ caller: Principal) async throws -> Response {
        let ids = (try request.query.optional("ids", as: String.self) ?? "").split(separator: ",").prefix(Self.most)
            .compactMap { AccountID(String($0)) }
        let sql = host.db.reader(for: caller.tenant)
        let store = AccountStore(sql: sql, vault: try await vaults.vault(of: caller.tenant, sql))
        var names = JSONObject([])
        for id in ids {
            // A patient's name is no business of an auditor.
            guard let account = try await store.find(id), !account.roles.isDisjoint(with: Permission.staff) else { continue }
            names[id.description] = .string(account.name)
        }
        return .json(200, names)
    }
}
