import Loop
import Postgres
import Primitives

/// A row of `patient` as it is stored: what is personal is still sealed.
struct SealedPatient: Sendable {
    let id: PatientID
    let mrn: MedicalRecordNumber
    let location: LocationID
    let registeredAt: Timestamp
    let active: Bool
    let version: Int
    let dataKey: [UInt8]
    let personal: [UInt8]

    func vault(_ ring: KeyRing, _ tenant: TenantID) throws -> PatientVault {
        try PatientVault(of: id, tenant: tenant, wrappedKey: dataKey, ring: ring)
    }

    /// The JSON of everything personal: two openings, no parsing.
    func open(_ ring: KeyRing, _ tenant: TenantID) throws -> [UInt8] {
        try vault(ring, tenant).open(personal, "patient", "personal", row: id.description)
    }
}

/// Every statement that touches the `patient` table.
@LoopActor struct PatientStore {
    let sql: any SQLSession

    private static let columns = "id, mrn, location_id, registered_at, active, version, data_key, personal"

    func find(_ id: PatientID) async throws -> SealedPatient? {
        try await sql.first(
            "select \(unsafe: Self.columns) from patient where id = \(id)", as: SealedPatient.init(row:))
    }

    func findForUpdate(_ id: PatientID) async throws -> SealedPatient? {
        try await sql.first(
            "select \(unsafe: Self.columns) from patient where id = \(id) for update", as: SealedPatient.init(row:))
    }

    func findByReference(_ reference: [UInt8]) async throws -> SealedPatient? {
        try await sql.first(
            "select \(unsafe: Self.columns) from patient where external_ref = \(Bytes(reference))",
            as: SealedPatient.init(row:))
    }

    /// Whether the patient exists, and whether the record is open.
    func isActive(_ id: PatientID) async throws -> Bool? {
        try await sql.first("select active from patient where id = \(id)", as: { try $0.next() })
    }

    /// Newest first, before `last`.
    func newest(before last: PatientID?, limit: Int) async throws -> [SealedPatient] {
        try await sql.all(
            """
            select \(unsafe: Self.columns) from patient
            where \(last)::uuid is null or id < \(last)
            order by id desc
            limit \(limit)
            """, as: SealedPatient.init(row:))
    }

    func find(mrn: MedicalRecordNumber) async throws -> SealedPatient? {
        try await sql.first(
            "select \(unsafe: Self.columns) from patient where mrn = \(mrn.number)", as: SealedPatient.init(row:))
    }

    func insert(
        _ id: PatientID, numbered mrn: MedicalRecordNumber, at location: LocationID, registeredAt: Timestamp,
        dataKey: [UInt8], personal: [UInt8], reference: [UInt8]? = nil
    ) async throws {
        try await sql.run(
            """
            insert into patient (id, mrn, location_id, registered_at, data_key, personal, external_ref)
            values (\(id), \(mrn.number), \(location), \(registeredAt), \(Bytes(dataKey)), \(Bytes(personal)),
                    \(reference.map { Bytes($0) }))
            """)
    }

    /// False when somebody changed the record since `version` was read.
    func update(_ patient: Patient, personal: [UInt8]) async throws -> Bool {
        try await sql.run(
            """
            update patient
            set active = \(patient.active), personal = \(Bytes(personal)), version = \(patient.version)
            where id = \(patient.id) and version = \(patient.version - 1)
            """) == 1
    }

    func inactivate(_ patient: Patient) async throws {
        try await sql.run("update patient set active = false, version = \(patient.version) where id = \(patient.id)")
    }
}

extension SealedPatient {
    init(row: inout Row) throws {
        id = try row.next()
        mrn = MedicalRecordNumber(try row.next())
        location = try row.next()
        registeredAt = try row.next()
        active = try row.next()
        version = try row.next()
        dataKey = try row.next(as: Bytes.self).array
        personal = try row.next(as: Bytes.self).array
    }
}
