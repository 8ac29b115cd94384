import Access
import Cryptography
import Loop
import Primitives

/// What a sealed value is bound to: moved to another row or column it does not open.
///
/// `subject` is the patient; for a tenant's own key it is the tenant. The version of the format is the first byte of
/// the sealed value.
package struct SealContext: Sendable {
    let tenant: TenantID
    let subject: String
    let table: String
    let column: String
    let row: String

    package init(tenant: TenantID, subject: String, table: String, column: String, row: String) {
        self.tenant = tenant
        self.subject = subject
        self.table = table
        self.column = column
        self.row = row
    }

    package var bytes: [UInt8] { Array("\(tenant)|\(subject)|\(table)|\(column)|\(row)".utf8) }
}

/// Seals and opens what is personal about one patient, under that patient's own key.
///
/// Destroying the wrapped key of a patient makes everything sealed here unreadable, in backups too: that is erasure.
package struct PatientVault: Sendable {
    package let tenant: TenantID
    package let patient: PatientID
    /// The data key as it is stored.
    package let wrappedKey: [UInt8]
    private let key: SymmetricKey

    /// A vault for a new patient, with a fresh key.
    package init(new patient: PatientID, of tenant: TenantID, ring: KeyChain) throws {
        self.tenant = tenant
        self.patient = patient
        key = SymmetricKey()
        wrappedKey = try Sealed.seal(key.bytes, keys: ring, context: Self.keyContext(tenant, patient))
    }

    /// Opens what is known of an existing patient. `trail` learns whose: an answer that was made with it and names them
    /// to nobody is not sent. Nil where nobody reads: an import, a change of keys, sealing more.
    @LoopActor package init(
        of patient: PatientID, tenant: TenantID, wrappedKey: [UInt8], ring: KeyChain, leaving trail: ReadTrail?
    ) throws {
        trail?.unseal(patient)
        self.tenant = tenant
        self.patient = patient
        self.wrappedKey = wrappedKey
        key = SymmetricKey(bytes: try Sealed.open(wrappedKey, keys: ring, context: Self.keyContext(tenant, patient)))
    }

    /// Whether a wrapped key is under an older key than the ring's current one.
    package static func isOutdated(
        _ wrapped: [UInt8], of patient: PatientID, tenant: TenantID, ring: KeyChain
    ) -> Bool {
        Sealed.isOutdated(wrapped, keys: ring, context: keyContext(tenant, patient))
    }

    /// The same key, wrapped by the ring's current key.
    package func rewrapped(_ ring: KeyChain) throws -> [UInt8] {
        try Sealed.seal(key.bytes, keys: ring, context: Self.keyContext(tenant, patient))
    }

    package func seal(_ plain: [UInt8], _ table: String, _ column: String, row: String) throws -> [UInt8] {
        try Sealed.seal(plain, key: key, context: context(table, column, row))
    }

    package func open(_ box: [UInt8], _ table: String, _ column: String, row: String) throws -> [UInt8] {
        try Sealed.open(box, key: key, context: context(table, column, row))
    }

    private func context(_ table: String, _ column: String, _ row: String) -> [UInt8] {
        SealContext(tenant: tenant, subject: patient.description, table: table, column: column, row: row).bytes
    }

    private static func keyContext(_ tenant: TenantID, _ patient: PatientID) -> [UInt8] {
        SealContext(
            tenant: tenant, subject: patient.description, table: "patient", column: "data_key", row: patient.description
        ).bytes
    }
}
