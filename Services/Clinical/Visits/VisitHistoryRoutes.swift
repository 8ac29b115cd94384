import Access
import Bootstrap
import HTTP
import JSON
import Loop
import Postgres
import Primitives

/// The report of signed visits, from their snapshots: what was true when the doctor signed.
@LoopActor struct VisitHistoryRoutes {
    let host: Host
    let keys: TenantKeys

    var table: [Route] {
        [
            .get(
                "/v1/reports/visit-history", for: .readVisitHistory,
                .init(
                    "Report signed visits as they were signed, newest first",
                    query: [.optional("patientId", .id), .optional("from", .date), .optional("to", .date)] + .paging,
                    answers: [(200, .page(of: .signedVisit))]), report)
        ]
    }

    private struct Line {
        let visit: VisitID
        let localDate: LocalDate
        let patient: PatientID
        let dataKey: [UInt8]
        let body: [UInt8]

        @LoopActor func open(_ ring: KeyRing, _ scope: PatientScope) throws -> StoredJSONValue {
            let vault = try PatientVault(of: patient, wrappedKey: dataKey, ring: ring, for: scope)
            return StoredJSONValue(bytes: try vault.open(body, "visit_snapshot", "body", row: visit.description))
        }
    }

    private func report(_ request: Request, _ caller: Principal) async throws -> Response {
        let query = request.query
        let limit = try query.optional("limit", as: Int.self) ?? 50
        let patient: PatientID? = try query.optional("patientId")
        let from: LocalDate? = try query.optional("from")
        let to: LocalDate? = try query.optional("to")
        var lastDay: LocalDate?
        var lastVisit: VisitID?
        if let cursor = try query.optional("cursor", as: String.self) {
            let parts = try Cursor.decode(cursor)
            guard parts.count == 2, let day = LocalDate(parts[0]), let visit = VisitID(parts[1]) else {
                throw Problem.invalid("cursor", "invalid_cursor", "Use nextCursor of the page before.")
            }
            (lastDay, lastVisit) = (day, visit)
        }
        guard let ring = try await keys.existing(caller.tenant) else {
            return .page([StoredJSONValue](), next: nil, of: request)
        }
        let scope = caller.chartScope
        let lines = try await host.db.reader(for: caller.tenant).all(
            """
            select s.visit_id, s.local_date, s.patient_id, k.wrapped, s.body
            from visit_snapshot s join patient p on p.id = s.patient_id join data_key k on k.person_id = p.id
            where \(scope.clause) and (\(patient)::uuid is null or s.patient_id = \(patient))
              and (\(from)::date is null or s.local_date >= \(from))
              and (\(to)::date is null or s.local_date <= \(to))
              and (\(lastDay)::date is null or (s.local_date, s.visit_id) < (\(lastDay), \(lastVisit)))
            order by s.local_date desc, s.visit_id desc
            limit \(limit + 1)
            """
        ) { row in
            Line(
                visit: try row.next(), localDate: try row.next(), patient: try row.next(),
                dataKey: try row.next(as: Bytes.self).array, body: try row.next(as: Bytes.self).array)
        }
        let shown = lines.prefix(limit)
        scope.trail?.listed("visit_history", shown.map(\.patient))
        let next =
            lines.count > limit ? shown.last.map { Cursor.encode([$0.localDate.description, $0.visit.description]) } : nil
        return .page(try shown.map { try $0.open(ring, scope) }, next: next, of: request)
    }
}
