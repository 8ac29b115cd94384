import Bootstrap
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

    /// Whose key was destroyed is not there any more, for anybody: the join leaves them out.
    private static let select = """
        select p.id, p.mrn, p.location_id, p.registered_at, p.active, p.version, k.wrapped, p.personal
        from patient p join data_key k on k.person_id = p.id
        """

    func find(_ id: PatientID) async throws -> SealedPatient? {
        try await sql.first(
            "\(unsafe: Self.select) where p.id = \(id)", as: SealedPatient.init(row:))
    }

    func findForUpdate(_ id: PatientID) async throws -> SealedPatient? {
        try await sql.first(
            "\(unsafe: Self.select) where p.id = \(id) for update of p", as: SealedPatient.init(row:))
    }

    func findByReference(_ reference: [UInt8]) async throws -> SealedPatient? {
        try await sql.first(
            "\(unsafe: Self.select) where p.external_ref = \(Bytes(reference))",
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
            \(unsafe: Self.select)
            where \(last)::uuid is null or p.id < \(last)
            order by p.id desc
            limit \(limit)
            """, as: SealedPatient.init(row:))
    }

    func find(mrn: MedicalRecordNumber) async throws -> SealedPatient? {
        try await sql.first(
            "\(unsafe: Self.select) where p.mrn = \(mrn.number)", as: SealedPatient.init(row:))
    }

    func insert(
        _ id: PatientID, numbered mrn: MedicalRecordNumber, at location: LocationID, registeredAt: Timestamp,
        dataKey: [UInt8], personal: [UInt8], reference: [UInt8]? = nil
    ) async throws {
        try await sql.run(
            """
            with key as (
                insert into data_key (person_id, wrapped) values (\(id), \(Bytes(dataKey)))
            )
            insert into patient (id, mrn, location_id, registered_at, personal, external_ref)
            values (\(id), \(mrn.number), \(location), \(registeredAt), \(Bytes(personal)),
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
