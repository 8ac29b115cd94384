import Access
import HTTP
import JSON
import Loop
import Postgres
import Primitives

/// Every statement that touches `allowed_origin`.
@LoopActor struct OriginStore {
    let sql: any SQLSession

    /// These and no others from now on; of the tenant itself, or of one client.
    func keep(_ origins: Set<String>, of client: ClientID? = nil) async throws {
        try await sql.run(
            """
            delete from allowed_origin
            where tenant_id = current_setting('app.tenant')::uuid and client_id is not distinct from \(client)::uuid
            """)
        guard !origins.isEmpty else { return }
        try await sql.run(
            """
            insert into allowed_origin (client_id, origin)
            select \(client)::uuid, unnest(\(origins.sorted())::text[]) on conflict do nothing
            """)
    }

    /// All tenants'. The session is scoped to none.
    func all() async throws -> [(tenant: TenantID, isClients: Bool, origin: String)] {
        try await sql.all(
            "select tenant_id, client_id is not null, origin from allowed_origin order by tenant_id, origin limit 20000",
            as: { row in
                (try row.next(as: TenantID.self), try row.next(as: Bool.self), try row.next(as: String.self))
            })
    }
}

extension Client {
    /// Where its pages are: a browser there may ask for tokens.
    var webOrigins: Set<String> {
        guard isActive else { return [] }
        return Set(redirectURIs.compactMap { RedirectURI.origin($0, isPublic: isPublic) }.filter { $0.hasPrefix("http") })
    }
}
