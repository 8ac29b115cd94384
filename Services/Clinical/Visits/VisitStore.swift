import Access
import Bootstrap
import JSON
import Loop
import Postgres
import Primitives

/// A row of `visit` with its measured values and the key of its patient; what was found and measured is still sealed.
struct SealedVisit: Sendable {
    let id: VisitID
    let patient: PatientID
    let practitioner: AccountID
    let location: LocationID
    let localDate: LocalDate
    let status: Visit.Status
    let token: TokenID?
    let appointment: AppointmentID?
    let startedAt: Timestamp
    let completedAt: Timestamp?
    let version: Int
    let findings: [UInt8]
    let dataKey: [UInt8]
    let measured: [Vital: RestingVital]
    /// On what the reader's right rests.
    let ground: String

    @LoopActor func vault(_ ring: KeyRing, _ scope: PatientScope) throws -> PatientVault {
        try PatientVault(of: patient, wrappedKey: dataKey, ring: ring, for: scope)
    }

    func open(_ vault: PatientVault) throws -> Visit {
        var vitals = Vitals()
        for (vital, resting) in measured { vitals[vital] = try vault.open(resting, vital.loinc, of: id) }
        let findings = try Findings(stored: vault.open(findings, "visit", "findings", row: id.description))
        return Visit(self, findings: findings, vitals: vitals)
    }
}

/// Every statement that touches `visit` and `visit_observation`, but those of `SealWords`.
@LoopActor struct VisitStore {
    let sql: any SQLSession
    let scope: PatientScope

    private var select: SQL { "select \(unsafe: Self.columns), \(scope.ground) \(unsafe: Self.source) where \(scope.clause)" }

    private static let columns = """
        v.id, v.patient_id, v.practitioner_id, v.location_id, v.local_date, v.status, v.token_id,
               v.appointment_id, v.started_at, v.completed_at, v.version, v.findings, k.wrapped,
               (select json_object_agg(o.code, coalesce(o.sealed_value::text, o.value::text))::text
                from visit_observation o where o.visit_id = v.id)
        """
    private static let source =
        "from visit v join patient p on p.id = v.patient_id join data_key k on k.person_id = p.id"

    func find(_ id: VisitID) async throws -> SealedVisit? {
        try await sql.first("\(select) and v.id = \(id)", as: SealedVisit.init(row:))
    }

    func findForUpdate(_ id: VisitID) async throws -> SealedVisit? {
        try await sql.first(
            "\(select) and v.id = \(id) for update of v", as: SealedVisit.init(row:))
    }

    /// A patient's visits, newest first, before the one a page ended with.
    func history(
        of patient: PatientID, before last: (startedAt: Timestamp, id: VisitID)?, limit: Int
    ) async throws -> [SealedVisit] {
        try await sql.all(
            """
            \(select)
              and v.patient_id = \(patient)
              and (\(last?.startedAt)::timestamptz is null or (v.started_at, v.id) < (\(last?.startedAt), \(last?.id)))
            order by v.started_at desc, v.id desc
            limit \(limit)
            """, as: SealedVisit.init(row:))
    }

    /// `visit_one_open` is the real guard: a look before the insert would race.
    func insert(_ visit: Visit, findings: [UInt8], reference: [UInt8]? = nil) async throws {
        _ = try await onConstraint("visit_one_open", throw: VisitError.alreadyOpen) {
            try await sql.run(
                """
                insert into visit (id, patient_id, practitioner_id, location_id, local_date, status, token_id,
                                   appointment_id, started_at, completed_at, findings, external_ref, version)
                values (\(visit.id), \(visit.patient), \(visit.practitioner), \(visit.location), \(visit.localDate),
                        \(visit.status.rawValue), \(visit.token), \(visit.appointment), \(visit.startedAt),
                        \(visit.completedAt), \(Bytes(findings)), \(reference.map { Bytes($0) }), \(visit.version))
                """)
        }
    }

    /// Of an open visit. False when somebody changed it since `version` was read. `former` keeps what it said: see
    /// `VersionStore`.
    func update(_ visit: Visit, from version: Int, findings: [UInt8], keeping former: SQL) async throws -> Bool {
        try await onConstraint("visit_signed", throw: VisitError.signed) {
            try await sql.run(
                """
                with former as (\(former))
                update visit set findings = \(Bytes(findings)), version = \(visit.version)
                where id = \(visit.id) and version = \(version)
                """) == 1
        }
    }

    /// Whoever signs changes nothing that was found. False when somebody changed the visit since `version` was read.
    func sign(_ visit: Visit, from version: Int, findings: [UInt8]) async throws -> Bool {
        try await onConstraint("visit_signed", throw: VisitError.signed) {
            try await sql.run(
                """
                update visit
                set practitioner_id = \(visit.practitioner), status = \(visit.status.rawValue),
                    completed_at = \(visit.completedAt), findings = \(Bytes(findings)), version = \(visit.version)
                where id = \(visit.id) and version = \(version)
                """) == 1
        }
    }

    /// Writes what is other than `former`, which was read when the visit was locked: SQL cannot compare what is sealed.
    func saveVitals(_ vitals: Vitals, after former: Vitals, of visit: VisitID, by account: AccountID, _ vault: PatientVault) async throws {
        let gone = Vital.allCases.filter { vitals[$0] == nil && former[$0] != nil }
        let measured = Vital.allCases.filter { vitals[$0] != nil && vitals[$0] != former[$0] }
        let boxes = try measured.compactMap { vital in try vitals[vital].map { try vault.seal($0, vital.loinc, of: visit) } }
        try await onConstraint("visit_signed", throw: VisitError.signed) {
            if !gone.isEmpty {
                try await sql.run(
                    "delete from visit_observation where visit_id = \(visit) and code = any(\(gone.map(\.loinc))::text[])")
            }
            guard !measured.isEmpty else { return }
            try await sql.run(
                """
                insert into visit_observation (visit_id, code, sealed_value, unit, recorded_by)
                select \(visit), o.code, o.box, o.unit, \(account)
                from unnest(\(measured.map(\.loinc))::text[], \(boxes)::bytea[],
                            \(measured.map(\.unit))::text[]) as o (code, box, unit)
                on conflict (visit_id, code) do update
                set sealed_value = excluded.sealed_value, value = null, recorded_by = excluded.recorded_by, recorded_at = now()
                """)
        }
    }

    func existing(references: [[UInt8]]) async throws -> Set<[UInt8]> {
        let found = try await sql.all(
            "select external_ref from visit where external_ref = any(\(references.map { Bytes($0) })::bytea[])",
            as: { try $0.next(as: Bytes.self).array })
        return Set(found)
    }
}

extension SealedVisit {
    init(row: inout Row) throws {
        id = try row.next()
        patient = try row.next()
        practitioner = try row.next()
        location = try row.next()
        localDate = try row.next()
        guard let status = Visit.Status(rawValue: try row.next()) else {
            throw PostgresError(.decoding, message: "visit.status")
        }
        self.status = status
        token = try row.next()
        appointment = try row.next()
        startedAt = try row.next()
        completedAt = try row.next()
        version = try row.next()
        findings = try row.next(as: Bytes.self).array
        dataKey = try row.next(as: Bytes.self).array
        var measured: [Vital: RestingVital] = [:]
        if let json = try row.next(as: String?.self) {
            for (code, value) in try JSONObject(stored: Array(json.utf8)).members {
                guard let vital = Vital(loinc: code) else { continue }
                guard let resting = String(json: value).flatMap({ RestingVital(text: $0) }) else {
                    throw PostgresError(.decoding, message: "visit_observation.sealed_value")
                }
                measured[vital] = resting
            }
        }
        self.measured = measured
        ground = try row.next()
    }
}
