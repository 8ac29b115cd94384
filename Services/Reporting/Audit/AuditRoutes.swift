import Access
import Bootstrap
import HTTP
import JSON
import Loop
import Postgres
import Primitives

/// The audit trail over HTTP: read, and nothing else.
@LoopActor struct AuditRoutes {
    let host: Host

    var table: [Route] { [.get("/v1/reports/audit-logs", for: .readAudit, Self.docs, list)] }

    private func list(_ request: Request, by caller: Principal) async throws -> Response {
        let limit: Int = try request.query.optional("limit") ?? 50
        let filter = AuditFilter(
            service: try request.query.optional("service"), resource: try request.query.optional("resource"),
            resourceID: try request.query.optional("resourceId"), actor: try request.query.optional("actor"),
            patient: try request.query.optional("patientId"), action: try request.query.optional("action"), allowed: try request.query.optional("allowed"),
            from: try request.query.optional("from"), to: try request.query.optional("to"))
        let found = try await AuditStore(sql: host.db.reader(for: caller.tenant))
            .page(filter, before: try Self.cursor(request), limit: limit + 1)
        let shown = found.prefix(limit)
        // What was asked for in vain tells of nobody: it may name a record that is not there.
        caller.trail?.listed("audit_log", shown.filter(\.allowed).compactMap(\.patient))
        let next = found.count > limit
            ? shown.last.map { Cursor.encode([$0.at.description, $0.id.description]) } : nil
        let names = await StaffNames(host: host).names(of: shown.map(\.actor), as: caller)
        let named = shown.map { entry in
            var entry = entry
            entry.actorName = entry.actor.flatMap { names[$0] }
            return entry
        }
        return .page(named, next: next, of: request)
    }

    private static func cursor(_ request: Request) throws -> (at: Timestamp, id: EventID)? {
        guard let text = try request.query.optional("cursor", as: String.self) else { return nil }
        let parts = try Cursor.decode(text)
        guard parts.count == 2, let at = Timestamp(parts[0]), let id = EventID(parts[1]) else {
            throw Problem.invalid("cursor", "invalid_cursor", "Use nextCursor as it came.")
        }
        return (at, id)
    }

    static let docs = Route.Docs(
        "Read who did what, newest first",
        query: [
            .optional("service", .text(max: 30)), .optional("resource", .text(max: 60)),
            .optional("resourceId", .text(max: 100)), .optional("actor", .id, "The account"),
            .optional("patientId", .id, "Whose record it touches"),
            .optional("action", .text(max: 60)), .optional("allowed", .boolean), .optional("from", .instant),
            .optional("to", .instant, "Not included"), .optional("limit", .integer(1...100)),
            .optional("cursor", .text(max: 500)),
        ],
        answers: [
            (200, .object([
                .required(
                    "items",
                    .list(
                        of: .object([
                            .required("id", .id), .required("at", .instant), .optional("actorId", .id),
                            .optional("actorName", .text(max: 200), "What staff are called today, when auth can be asked"),
                            .required("role", .text(max: 30)), .required("service", .text(max: 30)),
                            .required("action", .text(max: 60)), .required("resource", .text(max: 60)),
                            .required("resourceId", .text(max: 100)), .required("allowed", .boolean),
                            .optional("before", .any), .optional("after", .any),
                            .optional("patientId", .id), .optional("purpose", .choice(Purpose.allCases.map(\.rawValue))),
                            .required("traceId", .text(min: 0, max: 32)),
                        ]), max: 100)),
                .optional("nextCursor", .text(max: 500)),
            ]))
        ])
}
