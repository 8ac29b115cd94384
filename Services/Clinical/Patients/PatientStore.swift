import Access
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
    let restricted: Bool
    /// On what the reader's right rests.
    let ground: String

    /// The scope it was found in learns that it is unsealed.
    @LoopActor func vault(_ ring: KeyRing, _ scope: PatientScope) throws -> PatientVault {
        try PatientVault(of: id, wrappedKey: dataKey, ring: ring, for: scope)
    }

    /// The JSON of everything personal: two openings, no parsing.
    @LoopActor func open(_ ring: KeyRing, _ scope: PatientScope) throws -> [UInt8] {
        try vault(ring, scope).open(personal, "patient", "personal", row: id.description)
    }
}

/// Every statement that touches the `patient` table.
@LoopActor struct PatientStore {
    let sql: any SQLSession
    let scope: PatientScope

    static let columns =
        "p.id, p.mrn, p.location_id, p.registered_at, p.active, p.version, k.wrapped, p.personal, p.restricted"
    /// Whose key was destroyed is not there any more, for anybody: the join leaves them out.
    static let source = "patient p join data_key k on k.person_id = p.id"

    private var select: SQL {
        "select \(unsafe: Self.columns), \(scope.ground) from \(unsafe: Self.source) where \(scope.clause)"
    }

    func find(_ id: PatientID) async throws -> SealedPatient? {
        try await sql.first(
            "\(select) and p.id = \(id)", as: SealedPatient.init(row:))
    }

    func findForUpdate(_ id: PatientID) async throws -> SealedPatient? {
        try await sql.first(
            "\(select) and p.id = \(id) for update of p", as: SealedPatient.init(row:))
    }

    func findByReference(_ reference: [UInt8]) async throws -> SealedPatient? {
        try await sql.first(
            "\(select) and p.external_ref = \(Bytes(reference))", as: SealedPatient.init(row:))
    }

    /// Whether the patient exists, and whether the record is open.
    func isActive(_ id: PatientID) async throws -> Bool? {
        try await sql.first("select p.active from patient p where p.id = \(id) and \(scope.clause)", as: { try $0.next() })
    }

    /// On what ground the patient may be known; nil when not, or when there is no such patient.
    func ground(for id: PatientID) async throws -> String? {
        try await sql.first(
            "select \(scope.ground) from patient p where p.id = \(id) and \(scope.clause)", as: { try $0.next() })
    }

    /// Newest first, before `last`.
    func newest(before last: PatientID?, limit: Int) async throws -> [SealedPatient] {
        try await sql.all(
            """
            \(select) and (\(last)::uuid is null or p.id < \(last))
            order by p.id desc
            limit \(limit)
            """, as: SealedPatient.init(row:))
    }

    func find(mrn: MedicalRecordNumber) async throws -> SealedPatient? {
        try await sql.first(
            "\(select) and p.mrn = \(mrn.number)", as: SealedPatient.init(row:))
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

    /// False when somebody changed the record since `version` was read. `former` keeps what it said: see `VersionStore`.
    func update(_ patient: Patient, personal: [UInt8], keeping former: SQL) async throws -> Bool {
        try await sql.run(
            """
            with former as (\(former))
            update patient
            set active = \(patient.active), personal = \(Bytes(personal)), version = \(patient.version)
            where id = \(patient.id) and version = \(patient.version - 1)
            """) == 1
    }

    func restrict(_ id: PatientID, _ restricted: Bool) async throws {
        try await sql.run("update patient set restricted = \(restricted) where id = \(id)")
    }

    func inactivate(_ patient: Patient, keeping former: SQL) async throws {
        try await sql.run(
            """
            with former as (\(former))
            update patient set active = false, version = \(patient.version) where id = \(patient.id)
            """)
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
        restricted = try row.next()
        ground = try row.next()
    }
}
