import Cryptography
import Loop
import Postgres
import Primitives

/// The keys of every tenant this process has served, open in memory only.
///
/// Looked up again after five seconds, so that a key announced fifteen seconds ahead is known everywhere before it is
/// used: that is what lets keys change while everything is being read.
@LoopActor package final class TenantKeyRings {
    /// How long what was read counts.
    package nonisolated static let lifetime = Duration.seconds(5)
    /// How far ahead a new key is announced.
    package nonisolated static let announcement = Duration.seconds(15)

    private let db: Database
    private let master: RotatingKeys
    private let service: String
    private var rings: [TenantID: (ring: KeyChain, until: ContinuousClock.Instant)] = [:]

    package nonisolated init(db: Database, master: RotatingKeys, service: String) {
        self.db = db
        self.master = master
        self.service = service
    }

    /// The tenant's keys, made now if there are none. Call it before a transaction, never inside one.
    package func ring(for tenant: TenantID) async throws -> KeyChain {
        if let ring = try await existing(tenant) { return ring }
        let fresh = try wrap(SymmetricKey(), number: 1, of: tenant)
        try await db.transaction(for: tenant) { tx in
            // Two processes may get here at once: the first row stays, both read it.
            try await tx.run(
                "insert into tenant_wrapping_key (number, wrapped) values (1, \(Bytes(fresh))) on conflict do nothing")
            try await tx.run("insert into keyed_tenant (tenant_id) values (\(tenant)) on conflict do nothing")
        }
        guard let ring = try await read(tenant) else { throw VaultFailure.noKey }
        return ring
    }

    /// Nil when the tenant has no key here, so nothing personal either. `founding` is a key from before there were
    /// rows of keys: it wraps until the first of them is active.
    package func existing(_ tenant: TenantID, founding: SymmetricKey? = nil) async throws -> KeyChain? {
        guard let known = rings[tenant] else { return try await read(tenant, founding) }
        if ContinuousClock.now < known.until { return known.ring }
        // A database that is away for a moment takes nothing from what is known. One that answers without the key does: a
        // standby that had not heard of it is the truth now, and what the lost key sealed nobody would open again.
        do { return try await read(tenant, founding) } catch { return known.ring }
    }

    private func read(_ tenant: TenantID, _ founding: SymmetricKey? = nil) async throws -> KeyChain? {
        let rows = try await db.reader(for: tenant).all(
            """
            select number, wrapped, active_from <= now() from tenant_wrapping_key
            order by active_from <= now() desc, number desc limit 100
            """,
            as: { row in (try row.next(as: Int.self), try row.next(as: Bytes.self).array, try row.next(as: Bool.self)) })
        let active = try rows.filter(\.2).map { try unwrap($0.1, number: $0.0, of: tenant) }
        let announced = try rows.filter { !$0.2 }.map { try unwrap($0.1, number: $0.0, of: tenant) }
        let keys = active + [founding].compactMap { $0 } + announced
        guard let current = keys.first else {
            rings[tenant] = nil
            return nil
        }
        let ring = KeyChain(current, former: Array(keys.dropFirst()))
        if rings.count >= 10_000 { rings.removeAll() }
        rings[tenant] = (ring, ContinuousClock.now + Self.lifetime)
        return ring
    }

    /// Every tenant that keeps something sealed here: whom rotation and the sealing of older words go through.
    package func tenants() async throws -> [TenantID] {
        try await db.systemReader.all(
            "select tenant_id from keyed_tenant order by tenant_id limit 100000", as: { try $0.next(as: TenantID.self) })
    }

    /// Forgets what was read: for rotation, which must not wait.
    func forget() { rings = [:] }

    func wrap(_ key: SymmetricKey, number: Int, of tenant: TenantID) throws -> [UInt8] {
        try Sealed.seal(key.bytes, keys: master.keys(for: Self.use), context: context(tenant, number))
    }

    func isOutdated(_ wrapped: [UInt8], number: Int, of tenant: TenantID) -> Bool {
        Sealed.isOutdated(wrapped, keys: master.keys(for: Self.use), context: context(tenant, number))
    }

    func unwrap(_ wrapped: [UInt8], number: Int, of tenant: TenantID) throws -> SymmetricKey {
        SymmetricKey(bytes: try master.open(wrapped, for: Self.use, context: context(tenant, number)))
    }

    nonisolated static let use = "tenant wrapping keys v1"

    private func context(_ tenant: TenantID, _ number: Int) -> [UInt8] {
        SealContext(
            tenant: tenant, subject: tenant.description, table: "\(service).tenant_wrapping_key", column: "wrapped",
            row: "\(number)"
        ).bytes
    }
}

package enum VaultFailure: Error {
    /// The key was destroyed or never made: what it sealed cannot be read.
    case noKey
}
