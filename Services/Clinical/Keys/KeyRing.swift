import Access
import Bootstrap
import Cryptography
import Loop
import Primitives

/// What one tenant's secret opens: every use derives its own key, so no two uses can be confused.
struct KeyRing: Sendable {
    /// Wrap the data key of each patient.
    let wrapping: KeyChain
    /// Hashes the words that patients are searched by.
    let search: SymmetricKey
    /// Hashes the identifiers that other systems gave to what was imported.
    let external: SymmetricKey

    /// `wrapping` are the tenant's keys since the first rotation.
    init(tenantKey: SymmetricKey, wrapping: KeyChain? = nil) {
        self.wrapping = wrapping ?? KeyChain(Self.founding(tenantKey))
        search = tenantKey.derived(for: "clinical search keys v1")
        external = tenantKey.derived(for: "clinical external references v1")
    }

    /// What wraps until keys are rotated for the first time.
    static func founding(_ tenantKey: SymmetricKey) -> SymmetricKey {
        tenantKey.derived(for: "clinical patient data keys v1")
    }

    /// The keyed hash under which something imported is recognised the next time.
    func reference(_ kind: String, _ text: String) -> [UInt8] {
        SHA256.authenticate(Array("\(kind)|\(text)".utf8), key: external.bytes)
    }
}

extension PatientVault {
    init(new patient: PatientID, of tenant: TenantID, ring: KeyRing) throws {
        try self.init(new: patient, of: tenant, ring: ring.wrapping)
    }

    /// Opens what is known of an existing patient, for somebody who found it in `scope`.
    @LoopActor init(of patient: PatientID, wrappedKey: [UInt8], ring: KeyRing, for scope: PatientScope) throws {
        try self.init(
            of: patient, tenant: scope.tenant, wrappedKey: wrappedKey, ring: ring.wrapping, leaving: scope.trail)
    }
}
