import Cryptography
import Primitives

/// Seals and opens what is personal about one patient, under that patient's own key.
///
/// Destroying the wrapped key of a patient makes everything sealed here unreadable, in backups too: that is erasure.
struct PatientVault: Sendable {
    let tenant: TenantID
    let patient: PatientID
    /// The data key as it is stored.
    let wrappedKey: [UInt8]
    private let key: SymmetricKey

    /// A vault for a new patient, with a fresh key.
    init(new patient: PatientID, of tenant: TenantID, ring: KeyRing) throws {
        self.tenant = tenant
        self.patient = patient
        key = SymmetricKey()
        wrappedKey = try Sealed.seal(key.bytes, key: ring.wrapping, context: Self.keyContext(tenant, patient))
    }

    init(of patient: PatientID, tenant: TenantID, wrappedKey: [UInt8], ring: KeyRing) throws {
        self.tenant = tenant
        self.patient = patient
        self.wrappedKey = wrappedKey
        key = SymmetricKey(
            bytes: try Sealed.open(wrappedKey, key: ring.wrapping, context: Self.keyContext(tenant, patient)))
    }

    func seal(_ plain: [UInt8], _ table: String, _ column: String, row: String) throws -> [UInt8] {
        try Sealed.seal(plain, key: key, context: context(table, column, row))
    }

    func open(_ box: [UInt8], _ table: String, _ column: String, row: String) throws -> [UInt8] {
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
