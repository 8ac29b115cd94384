import Access
import Bootstrap
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// Opening a chart that is closed to oneself, and judging those who did.
@LoopActor struct BreakGlassRoutes {
    let host: Host
    let keys: TenantKeys
    let reviewWithin: Duration

    var table: [Route] {
        [
            .post(
                "/v1/patients/:id/break-glass", for: .breakGlass,
                .init(
                    "Open a chart that is closed to you, for a while; somebody else will review it",
                    body: .object([
                        .required("reason", .text(min: 10, max: 1_000), "Why it cannot wait"),
                        .optional("minutes", .integer(1...BreakGlass.longestMinutes), "30 by default"),
                    ]), answers: [(201, BreakGlassView.schema)], problems: ["not_needed"]), open
            ).afterStepUp(within: .seconds(300)),
            .get(
                "/v1/break-glass", for: .reviewBreakGlass,
                .init(
                    "List who opened or unlocked closed charts, what waits longest first",
                    query: [
                        .optional("status", .choice(["unreviewed", "overdue", "all"]), "unreviewed by default"),
                    ] + .paging, answers: [(200, .page(of: BreakGlassView.schema))]), list),
            .post(
                "/v1/break-glass/:id/review", for: .reviewBreakGlass,
                .init(
                    "Judge somebody else's opening or unlocking of a closed chart",
                    body: .object([
                        .required("outcome", .choice(BreakGlass.Outcome.allCases.map(\.rawValue))),
                        .optional("note", .nullable(.text(max: 1_000))),
                    ]), answers: [(200, BreakGlassView.schema)], problems: ["own_break_glass", "already_reviewed"]),
                review),
        ]
    }

    private func open(_ request: Request, _ caller: Principal) async throws -> Response {
        let patient: PatientID = try request.id("id")
        let minutes: Int64 = try request.body.optional("minutes") ?? 30
        let now = host.now()
        let ring = try await keys.ring(for: caller.tenant)

        return try await host.write(request, by: caller) { tx in
            // The grant is written although the chart is closed: whoever may break a glass may know that it is there.
            let scope = caller.deskScope
            guard let row = try await PatientStore(sql: tx, scope: scope).find(patient) else {
                throw Problem.notFound("patient")
            }
            guard try await PatientStore(sql: tx, scope: caller.chartScope).ground(for: patient) == nil else {
                throw BreakGlassError.notNeeded
            }
            let grant = BreakGlass(
                id: GlassID(), patient: patient, account: caller.account, location: caller.location,
                reason: try request.body.required("reason"), grantedAt: now,
                expiresAt: now.adding(seconds: min(max(minutes, 1), BreakGlass.longestMinutes) * 60))
            try await BreakGlassStore(sql: tx, scope: scope).keep(grant, in: row.vault(ring, scope), tx)
            try tx.audit(
                "break_glass", "patient", patient.description, of: patient,
                after: JSONObject([
                    ("grantId", .string(grant.id.description)), ("expiresAt", .string(grant.expiresAt.description)),
                ]))
            return .created(BreakGlassView(grant, overdueAfter: reviewWithin, at: now))
        }
    }

    private func list(_ request: Request, _ caller: Principal) async throws -> Response {
        let limit = try request.query.optional("limit", as: Int.self) ?? 50
        let status = try request.query.optional("status", as: String.self) ?? "unreviewed"
        var last: GlassID?
        if let cursor = try request.query.optional("cursor", as: String.self) {
            guard let id = try Cursor.decode(cursor).first.flatMap({ GlassID($0) }) else {
                throw Problem.invalid("cursor", "invalid_cursor", "Use nextCursor of the page before.")
            }
            last = id
        }
        guard let ring = try await keys.existing(caller.tenant) else {
            return .page([BreakGlassView](), next: nil, of: request)
        }
        let now = host.now()
        let rows = try await BreakGlassStore(sql: host.db.reader(for: caller.tenant), scope: caller.deskScope).page(
            unreviewed: status != "all",
            before: status == "overdue" ? now.adding(seconds: -reviewWithin.components.seconds) : nil, after: last,
            limit: limit + 1)
        let scope = caller.deskScope
        let shown = try rows.prefix(limit).map { try $0.open(ring, scope).grant }
        scope.trail?.listed("break_glass", shown.map(\.patient))
        let next = rows.count > limit ? shown.last.map { Cursor.encode([$0.id.description]) } : nil
        return .page(shown.map { BreakGlassView($0, overdueAfter: reviewWithin, at: now) }, next: next, of: request)
    }

    private func review(_ request: Request, _ caller: Principal) async throws -> Response {
        let id: GlassID = try request.id("id")
        let outcome: BreakGlass.Outcome = try request.body.required("outcome")
        let note: String? = try request.body.optional("note")
        let now = host.now()
        let ring = try await keys.ring(for: caller.tenant)

        return try await host.write(request, by: caller) { tx in
            let store = BreakGlassStore(sql: tx, scope: caller.deskScope)
            guard let row = try await store.findForUpdate(id) else { throw Problem.notFound("break_glass") }
            let opened = try row.open(ring, caller.deskScope)
            var grant = opened.grant
            try grant.judge(outcome, note: note, by: caller.account, at: now)
            let sealed = try note.map { try opened.vault.seal(Array($0.utf8), "glass_grant", "note", row: id.description) }
            try await store.saveReview(of: grant, note: sealed)
            try tx.audit(
                "review", "break_glass", id.description, of: grant.patient,
                after: JSONObject([("outcome", .string(outcome.rawValue))]))
            return .json(200, BreakGlassView(grant, overdueAfter: reviewWithin, at: now))
        }
    }
}

struct BreakGlassView: JSONWritable {
    let grant: BreakGlass
    let isOverdue: Bool

    init(_ grant: BreakGlass, overdueAfter grace: Duration, at now: Timestamp) {
        self.grant = grant
        isOverdue = grant.isOverdue(at: now, after: grace)
    }

    static let schema = Schema.object([
        .required("id", .id), .required("kind", .choice(BreakGlass.Kind.allCases.map(\.rawValue))), .required("patientId", .id),
        .required("accountId", .id), .required("locationId", .id), .required("reason", .text(max: 1_000)),
        .required("grantedAt", .instant), .required("expiresAt", .instant),
        .required("overdue", .boolean, "Nobody has reviewed it in time"), .optional("reviewedAt", .instant),
        .optional("reviewedBy", .id), .optional("outcome", .choice(BreakGlass.Outcome.allCases.map(\.rawValue))),
        .optional("note", .text(max: 1_000)),
    ])

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("id", grant.id)
            $0.field("kind", grant.kind)
            $0.field("patientId", grant.patient)
            $0.field("accountId", grant.account)
            $0.field("locationId", grant.location)
            $0.field("reason", grant.reason)
            $0.field("grantedAt", grant.grantedAt)
            $0.field("expiresAt", grant.expiresAt)
            $0.field("overdue", isOverdue)
            $0.field("reviewedAt", grant.review?.at)
            $0.field("reviewedBy", grant.review?.by)
            $0.field("outcome", grant.review?.outcome)
            $0.field("note", grant.review?.note)
        }
    }
}

/// The one place where these refusals become HTTP.
extension BreakGlassError: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .own: Problem(403, "own_break_glass", "Somebody else must review what you did.")
        case .reviewed: .conflict("already_reviewed", "It was reviewed already.")
        case .notNeeded: .conflict("not_needed", "This chart is open to you.")
        }
    }
}
