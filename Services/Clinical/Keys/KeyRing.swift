import Cryptography
import Primitives

/// What one tenant's secret opens: every use derives its own key, so no two uses can be confused.
struct KeyRing: Sendable {
    /// Wraps the data key of each patient.
    let wrapping: SymmetricKey
    /// Hashes the words that patients are searched by.
    let search: SymmetricKey
    /// Hashes the identifiers that other systems gave to what was imported.
    let external: SymmetricKey

    init(tenantKey: SymmetricKey) {
        wrapping = tenantKey.derived(for: "clinical patient data keys v1")
        search = tenantKey.derived(for: "clinical search keys v1")
        external = tenantKey.derived(for: "clinical external references v1")
    }

    /// The keyed hash under which something imported is recognised the next time.
    func reference(_ kind: String, _ text: String) -> [UInt8] {
        SHA256.authenticate(Array("\(kind)|\(text)".utf8), key: external.bytes)
    }
}

/// What a sealed value is bound to: moved to another row or column it does not open.
///
/// `subject` is the patient; for a tenant's own key it is the tenant.
struct SealContext: Sendable {
    let tenant: TenantID
    let subject: String
    let table: String
    let column: String
    let row: String

    var bytes: [UInt8] { Array("\(tenant)|\(subject)|\(table)|\(column)|\(row)".utf8) }
}
