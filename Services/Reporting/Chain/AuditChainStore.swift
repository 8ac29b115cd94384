import Loop
import Postgres
import Primitives

/// Every statement about the chain itself: its links, its head, its checkpoints. Writing it is the database's.
@LoopActor struct AuditChainStore {
    let sql: any SQLSession

    func tenants() async throws -> [TenantID] {
        try await sql.all("select tenant_id from tenant_card order by tenant_id limit 100000") { try $0.next() }
    }

    /// In the order of the chain. `canonical` is what the columns say now, not what they said.
    func links(after seq: Int64, limit: Int) async throws -> [AuditChain.Link] {
        try await sql.all(
            """
            select e.seq, e.id, audit_canonical(e), e.hash from audit_entry e
            where e.seq > \(seq) order by e.seq limit \(limit)
            """
        ) { row in
            AuditChain.Link(
                seq: try row.next(), id: try row.next(), canonical: try row.next(),
                hash: try row.next(as: Bytes.self).array)
        }
    }

    func head() async throws -> (size: Int64, head: [UInt8])? {
        try await sql.first("select size, head from audit_head") { (try $0.next(), try $0.next(as: Bytes.self).array) }
    }

    func lastCheckpoint() async throws -> Int64 {
        try await sql.first("select max(size) from audit_checkpoint", as: { try $0.next(as: Int64?.self) ?? 0 }) ?? 0
    }

    /// The newest checkpoint that the database keeps. One is enough: whoever changes what came before it changes its head.
    func newestCheckpoint(of tenant: TenantID) async throws -> AuditCheckpoint? {
        try await sql.first(
            "select size, head, at, key_id, signature from audit_checkpoint order by size desc limit 1"
        ) { row in
            AuditCheckpoint(
                tenant: tenant, size: try row.next(), head: try row.next(as: Bytes.self).array, at: try row.next(),
                keyID: try row.next(), signature: try row.next(as: Bytes.self).array)
        }
    }

    func insert(_ checkpoint: AuditCheckpoint) async throws -> Bool {
        try await sql.run(
            """
            insert into audit_checkpoint (size, head, at, key_id, signature)
            values (\(checkpoint.size), \(Bytes(checkpoint.head)), \(checkpoint.at), \(checkpoint.keyID),
                    \(Bytes(checkpoint.signature)))
            on conflict do nothing
            """) == 1
    }
}
