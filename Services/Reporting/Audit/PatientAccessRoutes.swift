import Access
import Bootstrap
import HTTP
import JSON
import Loop
import Postgres
import Primitives

/// Who opened a patient's record, and why: for the patient, and for those who oversee.
@LoopActor struct PatientAccessRoutes {
    let host: Host

    var table: [Route] {
        [
            .get(
                "/v1/patients/:id/access-log", for: .readAccessLog,
                .init(
                    "Tell who opened or changed a patient's record, newest first",
                    query: [.optional("limit", .integer(1...100)), .optional("cursor", .text(max: 500))],
                    answers: [(200, Self.schema)]), list)
        ]
    }

    private static let schema = Schema.object([
        .required(
            "items",
            .list(
                of: .object([
                    .required("at", .instant), .required("role", .text(max: 30)),
                    .optional("name", .text(max: 200), "As the practitioner is published; to administrators and auditors also what other staff are called"),
                    .required("action", .text(max: 60)), .required("what", .text(max: 60)),
                    .required("purpose", .choice(Purpose.allCases.map(\.rawValue)), "HL7 PurposeOfUse"),
                    .required("allowed", .boolean), .required("self", .boolean, "It was the person who asks"),
                ]), max: 100)),
        .optional("nextCursor", .text(max: 500)),
    ])

    private struct Line: JSONWritable {
        let at: Timestamp
        let id: EventID
        let actor: AccountID?
        let role: String
        var name: String?
        let action: String
        let what: String
        let purpose: String?
        let allowed: Bool
        let asker: AccountID

        func write(to json: inout JSONWriter) {
            json.object {
                $0.field("at", at)
                $0.field("role", role)
                $0.field("name", name)
                $0.field("action", action)
                $0.field("what", what)
                $0.field("purpose", purpose ?? Purpose.operations.rawValue)
                $0.field("allowed", allowed)
                $0.field("self", actor == asker)
            }
        }
    }

    private func list(_ request: Request, by caller: Principal) async throws -> Response {
        let patient: PatientID = try request.id("id")
        let limit: Int = try request.query.optional("limit") ?? 50
        var before: (at: Timestamp, id: EventID)?
        if let text = try request.query.optional("cursor", as: String.self) {
            let parts = try Cursor.decode(text)
            guard parts.count == 2, let at = Timestamp(parts[0]), let id = EventID(parts[1]) else {
                throw Problem.invalid("cursor", "invalid_cursor", "Use nextCursor as it came.")
            }
            before = (at, id)
        }
        let scope = caller.deskScope
        let sql = host.db.reader(for: caller.tenant)
        if case .only(let own) = scope.patients {
            if !own.contains(patient) { throw Problem.notFound("patient") }
        } else if try await !wasRegistered(patient, in: sql) {
            throw Problem.notFound("patient")
        }

        let found = try await sql.all(
            """
            with found as (
                (select id from audit_entry
                 where patient_id = \(patient) and \(scope.clause("patient_id"))
                     and (\(before?.at)::timestamptz is null or (at, id) < (\(before?.at)::timestamptz, \(before?.id)::uuid))
                 order by at desc, id desc limit \(limit + 1))
                union
                -- The lists that the patient was on.
                (select entry_id from audit_listed
                 where patient_id = \(patient) and \(scope.clause("patient_id"))
                     and (\(before?.at)::timestamptz is null
                         or (at, entry_id) < (\(before?.at)::timestamptz, \(before?.id)::uuid))
                 order by at desc, entry_id desc limit \(limit + 1))
            )
            select e.at, e.id, e.actor_id, e.role, s.name, e.action, e.resource, e.purpose, e.allowed
            from audit_entry e join found using (id) left join staff_card s on s.account_id = e.actor_id
            order by e.at desc, e.id desc
            limit \(limit + 1)
            """
        ) { row in
            Line(
                at: try row.next(), id: try row.next(), actor: try row.next(), role: try row.next(),
                name: try row.next(), action: try row.next(), what: try row.next(), purpose: try row.next(),
                allowed: try row.next(), asker: caller.account)
        }
        var shown = Array(found.prefix(limit))
        let names = await StaffNames(host: host).names(of: shown.map(\.actor), as: caller)
        for index in shown.indices { shown[index].name = shown[index].actor.flatMap { names[$0] } ?? shown[index].name }
        scope.trail?.read("access_log", patient.description, of: patient, on: caller.ground)
        let next = found.count > limit
            ? shown.last.map { Cursor.encode([$0.at.description, $0.id.description]) } : nil
        return .page(shown, next: next, of: request)
    }

    /// Whether the trail begins with a registration here: what was only ever asked for in vain, another tenant's
    /// patient say, is nobody's record.
    private func wasRegistered(_ patient: PatientID, in sql: any SQLSession) async throws -> Bool {
        try await sql.first(
            """
            select from audit_entry
            where resource = 'patient' and resource_id = \(patient.description) and action = 'create' and allowed limit 1
            """) { _ in true } ?? false
    }
}
