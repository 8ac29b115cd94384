import Bootstrap
import Cryptography
import Loop
import Postgres
import Primitives

/// A tenant's key, and what may be done with it: seal and open its personal columns.
struct Vault: Sendable {
    let tenant: TenantID
    private let key: SymmetricKey

    fileprivate init(tenant: TenantID, key: SymmetricKey) {
        self.tenant = tenant
        self.key = key
    }

    /// `column` is `table|column|row id`: a sealed value moved to another row or column does not open.
    func seal(_ text: String, for column: String) throws -> Bytes {
        Bytes(try Sealed.seal([UInt8](text.utf8), key: key, context: context(column)))
    }

    func open(_ sealed: Bytes, for column: String) throws -> String {
        String(decoding: try Sealed.open(sealed.array, key: key, context: context(column)), as: UTF8.self)
    }

    func sealBytes(_ bytes: [UInt8], for column: String) throws -> Bytes {
        Bytes(try Sealed.seal(bytes, key: key, context: context(column)))
    }

    func openBytes(_ sealed: Bytes, for column: String) throws -> [UInt8] {
        try Sealed.open(sealed.array, key: key, context: context(column))
    }

    private func context(_ column: String) -> [UInt8] { [UInt8]("\(tenant)|auth|\(column)|1".utf8) }
}

/// Finds and makes tenants' keys. They rest wrapped by the master key and are open only in memory.
@LoopActor final class Vaults {
    private let master: RotatingKeys
    private var open: [TenantID: Vault] = [:]

    nonisolated init(masterKeys: RotatingKeys) { master = masterKeys }

    private static let use = "auth tenant keys"

    /// `sql` must be scoped to this tenant.
    func vault(of tenant: TenantID, _ sql: any SQLSession) async throws -> Vault {
        if let vault = open[tenant] { return vault }
        let wrapped = try await sql.first(
            "select wrapped from tenant_key where tenant_id = \(tenant)", as: { row in try row.next(as: Bytes.self) })
        guard let wrapped else { throw VaultError.noKey }
        let key = try master.open(wrapped.array, for: Self.use, context: Self.context(tenant))
        let vault = Vault(tenant: tenant, key: SymmetricKey(bytes: key))
        if open.count >= 10_000 { open.removeAll() }
        open[tenant] = vault
        return vault
    }

    /// Makes the key of a new tenant, in the transaction that opens it.
    func make(for tenant: TenantID, _ tx: Transaction) async throws -> Vault {
        let key = SymmetricKey()
        let wrapped = try Sealed.seal(key.bytes, keys: master.keys(for: Self.use), context: Self.context(tenant))
        try await tx.run("insert into tenant_key (tenant_id, wrapped) values (\(tenant), \(Bytes(wrapped)))")
        try await tx.run("insert into keyed_tenant (tenant_id) values (\(tenant)) on conflict do nothing")
        return Vault(tenant: tenant, key: key)
    }

    /// Wraps the tenant's key with the current master key. False when it was so already.
    func rewrap(_ tenant: TenantID, _ tx: Transaction) async throws -> Bool {
        let wrapped = try await tx.first(
            "select wrapped from tenant_key where tenant_id = \(tenant) for update",
            as: { row in try row.next(as: Bytes.self).array })
        guard let wrapped,
            Sealed.isOutdated(wrapped, keys: master.keys(for: Self.use), context: Self.context(tenant))
        else { return false }
        let key = try master.open(wrapped, for: Self.use, context: Self.context(tenant))
        let fresh = try Sealed.seal(key, keys: master.keys(for: Self.use), context: Self.context(tenant))
        try await tx.run("update tenant_key set wrapped = \(Bytes(fresh)) where tenant_id = \(tenant)")
        return true
    }

    private static func context(_ tenant: TenantID) -> [UInt8] { [UInt8]("\(tenant)|auth|tenant_key|1".utf8) }
}

enum VaultError: Error {
    /// The tenant's key was destroyed or never made: its personal data cannot be read.
    case noKey
}
