import Loop
import Postgres
import Primitives

/// Every statement that touches `tenant`.
@LoopActor struct TenantStore {
    let sql: any SQLSession

    func find(named name: String) async throws -> TenantID? {
        try await sql.first("select id from tenant where name = \(name)", as: { row in try row.next(as: TenantID.self) })
    }

    func insert(_ id: TenantID, named name: String, at now: Timestamp) async throws {
        try await sql.run("insert into tenant (id, name, opened_at) values (\(id), \(name), \(now))")
    }

    /// All tenants, for the sweep.
    func all() async throws -> [TenantID] {
        try await sql.all("select id from tenant order by id limit 100000", as: { row in try row.next(as: TenantID.self) })
    }
}
