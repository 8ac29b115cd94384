import Bootstrap
import Cryptography
import Loop
import Postgres
import Primitives

/// Keeps the key of every tenant this process has served, unwrapped, in memory only.
///
/// A tenant's key is made when its first patient is registered. It is stored wrapped by the master key, so a copy
/// of the database opens nothing.
@LoopActor final class TenantKeys {
    private let host: Host
    private let master: SymmetricKey
    private var rings: [TenantID: KeyRing] = [:]

    init(host: Host, masterKey: SymmetricKey) {
        self.host = host
        master = masterKey.derived(for: "clinical tenant keys v1")
    }

    /// The tenant's keys; nil when it has none yet, so it has no patients either.
    func existing(_ tenant: TenantID) async throws -> KeyRing? {
        if let ring = rings[tenant] { return ring }
        guard let wrapped = try await TenantKeyStore(sql: host.db.reader(for: tenant)).find() else { return nil }
        return try unwrap(wrapped, of: tenant)
    }

    /// The tenant's keys, made now if need be. Call it before a transaction, never inside one.
    func ring(for tenant: TenantID) async throws -> KeyRing {
        if let ring = try await existing(tenant) { return ring }
        let fresh = try Sealed.seal(SymmetricKey().bytes, key: master, context: context(tenant))
        let wrapped = try await host.db.transaction(for: tenant) { tx in
            // Two processes may get here at once: the first row stays, both read it.
            try await TenantKeyStore(sql: tx).insertIfMissing(fresh)
            return try await TenantKeyStore(sql: tx).find() ?? fresh
        }
        return try unwrap(wrapped, of: tenant)
    }

    private func unwrap(_ wrapped: [UInt8], of tenant: TenantID) throws -> KeyRing {
        let key = SymmetricKey(bytes: try Sealed.open(wrapped, key: master, context: context(tenant)))
        let ring = KeyRing(tenantKey: key)
        rings[tenant] = ring
        return ring
    }

    private func context(_ tenant: TenantID) -> [UInt8] {
        SealContext(tenant: tenant, subject: tenant.description, table: "tenant_key", column: "wrapped", row: tenant.description)
            .bytes
    }
}

/// Every statement that touches the `tenant_key` table.
@LoopActor struct TenantKeyStore {
    let sql: any SQLSession

    func find() async throws -> [UInt8]? {
        try await sql.first("select wrapped from tenant_key", as: { try $0.next(as: Bytes.self).array })
    }

    func insertIfMissing(_ wrapped: [UInt8]) async throws {
        try await sql.run(
            "insert into tenant_key (wrapped) values (\(Bytes(wrapped))) on conflict (tenant_id) do nothing")
    }
}
