import Bootstrap
import Cryptography
import Loop
import Postgres
import Primitives

/// Keeps the key of every tenant this process has served, unwrapped, in memory only.
///
/// A tenant's key is made when its first patient is registered. It is stored wrapped by the master key, so a copy
/// of the database opens nothing. It is what names and references are found by and stays; what wraps patients' keys
/// comes from `host.keys` once it was rotated.
@LoopActor final class TenantKeys {
    private let host: Host
    private var keys: [TenantID: (wrapped: [UInt8], key: SymmetricKey)] = [:]
    private var rings: [TenantID: (ring: KeyRing, until: ContinuousClock.Instant)] = [:]

    init(host: Host) { self.host = host }

    /// The tenant's keys; nil when it has none yet, so it has no patients either.
    func existing(_ tenant: TenantID) async throws -> KeyRing? {
        if let known = rings[tenant], ContinuousClock.now < known.until { return known.ring }
        guard let key = try await key(of: tenant) else { return nil }
        return try await ring(key, tenant)
    }

    /// The tenant's keys, made now if need be. Call it before a transaction, never inside one.
    func ring(for tenant: TenantID) async throws -> KeyRing {
        if let ring = try await existing(tenant) { return ring }
        let fresh = try wrap(SymmetricKey(), of: tenant)
        let wrapped = try await host.db.transaction(for: tenant) { tx in
            // Two processes may get here at once: the first row stays, both read it.
            try await TenantKeyStore(sql: tx).insertIfMissing(fresh, of: tenant)
            return try await TenantKeyStore(sql: tx).find() ?? fresh
        }
        return try await ring(unwrap(wrapped, of: tenant), tenant)
    }

    /// The key that wraps patients' keys until the first rotation; nil when there is no patient.
    func founding(_ tenant: TenantID) async throws -> SymmetricKey? { try await key(of: tenant).map(KeyRing.founding) }

    /// Wraps the tenant's own key with the current master key. False when it was so already.
    func rewrap(_ tenant: TenantID, _ tx: Transaction) async throws -> Bool {
        let store = TenantKeyStore(sql: tx)
        guard let wrapped = try await store.findForUpdate(),
            Sealed.isOutdated(
                wrapped, keys: host.config.masterKeys.keys(for: Self.use), context: context(tenant))
        else { return false }
        try await store.update(wrap(unwrap(wrapped, of: tenant), of: tenant))
        return true
    }

    private func key(of tenant: TenantID) async throws -> SymmetricKey? {
        let known = keys[tenant]
        let wrapped: [UInt8]?
        do { wrapped = try await TenantKeyStore(sql: host.db.reader(for: tenant)).find() } catch {
            guard let known else { throw error }
            return known.key  // A database that is away for a moment takes nothing from what is known.
        }
        // Without a row there is no key: what one that only we remember seals, nobody would open again.
        guard let wrapped else {
            keys[tenant] = nil
            return nil
        }
        return known?.wrapped == wrapped ? known?.key : try unwrap(wrapped, of: tenant)
    }

    private func ring(_ key: SymmetricKey, _ tenant: TenantID) async throws -> KeyRing {
        let wrapping = try await host.keys.existing(tenant, founding: KeyRing.founding(key))
        let ring = KeyRing(tenantKey: key, wrapping: wrapping)
        rings[tenant] = (ring, ContinuousClock.now + .seconds(1))
        return ring
    }

    private func wrap(_ key: SymmetricKey, of tenant: TenantID) throws -> [UInt8] {
        try Sealed.seal(key.bytes, keys: host.config.masterKeys.keys(for: Self.use), context: context(tenant))
    }

    private func unwrap(_ wrapped: [UInt8], of tenant: TenantID) throws -> SymmetricKey {
        let key = SymmetricKey(
            bytes: try host.config.masterKeys.open(wrapped, for: Self.use, context: context(tenant)))
        keys[tenant] = (wrapped, key)
        return key
    }

    private static let use = "clinical tenant keys v1"

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

    func findForUpdate() async throws -> [UInt8]? {
        try await sql.first("select wrapped from tenant_key for update", as: { try $0.next(as: Bytes.self).array })
    }

    func insertIfMissing(_ wrapped: [UInt8], of tenant: TenantID) async throws {
        try await sql.run(
            "insert into tenant_key (wrapped) values (\(Bytes(wrapped))) on conflict (tenant_id) do nothing")
        try await sql.run("insert into keyed_tenant (tenant_id) values (\(tenant)) on conflict do nothing")
    }

    func update(_ wrapped: [UInt8]) async throws {
        try await sql.run("update tenant_key set wrapped = \(Bytes(wrapped))")
    }
}
