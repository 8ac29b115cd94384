import Access
import Bootstrap
import JSON
import Loop
import Contracts
import Messaging
import Postgres
import Primitives

/// Saves a new patient with keys to be found by: for the desk, and for imports.
@LoopActor struct RegisterPatient {
    let ring: KeyRing
    let scope: PatientScope
    let location: LocationID
    var reference: [UInt8]?

    func register(
        _ personal: Personal, as id: PatientID = PatientID(), numbered mrn: MedicalRecordNumber, at now: Timestamp,
        today: LocalDate, in tx: Transaction
    ) async throws -> Patient {
        let vault = try PatientVault(new: id, of: scope.tenant, ring: ring)
        let sealed = try vault.seal(personal.jsonBytes, "patient", "personal", row: id.description)
        let searchable = SearchKeys(ring: ring).stored(name: personal.name, phone: personal.phone)

        try await PatientKeyStore(sql: tx, scope: scope).insert(searchable, of: id)
        try await PatientStore(sql: tx, scope: scope).insert(
            id, numbered: mrn, at: location, registeredAt: now, dataKey: vault.wrappedKey, personal: sealed, reference: reference)
        let patient = Patient(id: id, mrn: mrn, location: location, registeredAt: now, personal: personal)
        try tx.announce(patient.registered(on: today), revision: patient.version)
        try tx.audit(
            "create", "patient", id.description, of: id,
            after: JSONObject([("mrn", .string(mrn.text)), ("active", .bool(true))]))
        return patient
    }
}
