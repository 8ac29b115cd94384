import Access
import Bootstrap
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// Asking about one's own record, and answering who asked.
@LoopActor struct PrivacyRequestRoutes {
    let host: Host
    let keys: TenantKeys

    var table: [Route] {
        [
            .post(
                "/v1/patients/:id/requests", for: .filePrivacyRequests,
                .init(
                    "Ask to be told, or to have a record corrected, erased or restricted",
                    body: .object([
                        .required("kind", .choice(PrivacyRequest.Kind.allCases.map(\.rawValue))),
                        .required("words", .text(min: 1, max: 4_000), "What is asked for"),
                    ]), answers: [(201, PrivacyRequestView.schema)], problems: ["request_open"]), file),
            .get(
                "/v1/patients/:id/requests", for: .readPrivacyRequests,
                .init(
                    "List what was asked about a record, newest first, and what came of it",
                    answers: [(200, .object([.required("items", .list(of: PrivacyRequestView.schema, max: Self.most))]))]),
                ofPatient),
            .get(
                "/v1/privacy-requests", for: .answerPrivacyRequests,
                .init(
                    "List what was asked about records, what is due or overdue first",
                    query: [.optional("status", .choice(["open", "all"]), "open by default")] + .paging,
                    answers: [(200, .page(of: PrivacyRequestView.schema))]), list),
            .post(
                "/v1/privacy-requests/:id/answer", for: .answerPrivacyRequests,
                .init(
                    "Say what came of a request; a refusal needs its reason",
                    body: .object([
                        .required("outcome", .choice(PrivacyRequest.Outcome.allCases.map(\.rawValue))),
                        .optional("words", .nullable(.text(min: 1, max: 4_000)), "What the person is told"),
                    ]), answers: [(200, PrivacyRequestView.schema)],
                    problems: ["request_answered", "reason_missing", "record_erased"]), answer),
        ]
    }

    /// One of each kind is open at a time, so nobody has more for long.
    private static let most = 200

    private func file(_ request: Request, _ caller: Principal) async throws -> Response {
        let patient: PatientID = try request.id("id")
        let kind: PrivacyRequest.Kind = try request.body.required("kind")
        let words: String = try request.body.required("words")
        let now = host.now()
        let ring = try await keys.ring(for: caller.tenant)

        return try await host.write(request, by: caller) { tx in
            let scope = caller.deskScope
            guard let row = try await PatientStore(sql: tx, scope: scope).find(patient) else { throw Problem.notFound("patient") }
            let (filed, fact) = PrivacyRequest.file(
                kind, words, about: patient, by: caller.account, on: caller.today(at: now), at: now)
            let sealed = try row.vault(ring, scope).seal(Array(words.utf8), "privacy_request", "words", row: filed.id.description)
            try await PrivacyRequestStore(sql: tx, scope: scope).insert(filed, words: sealed)
            try tx.announce(fact, revision: 1)
            try tx.audit(
                "file", "privacy_request", filed.id.description, of: patient,
                after: JSONObject([("kind", .string(kind.rawValue)), ("dueOn", .string(filed.dueOn.description))]))
            return .created(PrivacyRequestView(filed, on: caller.today(at: now)))
        }
    }

    private func ofPatient(_ request: Request, _ caller: Principal) async throws -> Response {
        let patient: PatientID = try request.id("id")
        let sql = host.db.reader(for: caller.tenant)
        let scope = caller.deskScope
        guard let row = try await PatientStore(sql: sql, scope: scope).find(patient),
            let ring = try await keys.existing(caller.tenant)
        else { throw Problem.notFound("patient") }
        let today = caller.today(at: host.now())
        let found = try await PrivacyRequestStore(sql: sql, scope: scope).all(of: patient, limit: Self.most)
            .map { PrivacyRequestView(try $0.open(ring, scope), on: today) }
        scope.trail?.read("privacy_request_list", patient.description, of: patient, on: row.ground)
        return .json(200, Page(items: found))
    }

    private struct Page: JSONWritable {
        let items: [PrivacyRequestView]
        func write(to json: inout JSONWriter) { json.object { $0.field("items", items) } }
    }

    private func list(_ request: Request, _ caller: Principal) async throws -> Response {
        let limit = try request.query.optional("limit", as: Int.self) ?? 50
        let status = try request.query.optional("status", as: String.self) ?? "open"
        var last: (due: LocalDate, id: PrivacyRequestID)?
        if let cursor = try request.query.optional("cursor", as: String.self) {
            let keys = try Cursor.decode(cursor)
            guard keys.count == 2, let due = LocalDate(keys[0]), let id = PrivacyRequestID(keys[1]) else {
                throw Problem.invalid("cursor", "invalid_cursor", "Use nextCursor of the page before.")
            }
            last = (due, id)
        }
        guard let ring = try await keys.existing(caller.tenant) else {
            return .page([PrivacyRequestView](), next: nil, of: request)
        }
        let scope = caller.deskScope
        let today = caller.today(at: host.now())
        let rows = try await PrivacyRequestStore(sql: host.db.reader(for: caller.tenant), scope: scope)
            .page(open: status != "all", after: last, limit: limit + 1)
        let shown = try rows.prefix(limit).map { try $0.open(ring, scope) }
        scope.trail?.listed("privacy_request", shown.map(\.patient))
        let next = rows.count > limit ? shown.last.map { Cursor.encode([$0.dueOn.description, $0.id.description]) } : nil
        return .page(shown.map { PrivacyRequestView($0, on: today) }, next: next, of: request)
    }

    private func answer(_ request: Request, _ caller: Principal) async throws -> Response {
        let id: PrivacyRequestID = try request.id("id")
        let outcome: PrivacyRequest.Outcome = try request.body.required("outcome")
        let words: String? = try request.body.optional("words")
        let now = host.now()
        let ring = try await keys.ring(for: caller.tenant)

        return try await host.write(request, by: caller) { tx in
            let scope = caller.deskScope
            let store = PrivacyRequestStore(sql: tx, scope: scope)
            guard let row = try await store.findForUpdate(id) else { throw Problem.notFound("privacy_request") }
            var asked = try row.open(ring, scope)
            let fact = try asked.answer(outcome, words, by: caller.account, at: now)
            let vault = try row.vault(ring, scope)
            guard words == nil || vault != nil else { throw PrivacyRequestError.erased }
            let sealed = try words.flatMap { try vault?.seal(Array($0.utf8), "privacy_request", "answer", row: id.description) }
            try await store.saveAnswer(of: asked, words: sealed)
            try tx.announce(fact, revision: 3)
            try tx.audit(
                "answer", "privacy_request", id.description, of: asked.patient,
                after: JSONObject([("outcome", .string(outcome.rawValue))]))
            return .json(200, PrivacyRequestView(asked, on: caller.today(at: now)))
        }
    }
}

struct PrivacyRequestView: JSONWritable {
    let request: PrivacyRequest
    let isOverdue: Bool

    init(_ request: PrivacyRequest, on today: LocalDate) {
        self.request = request
        isOverdue = request.isOverdue(on: today)
    }

    static let schema = Schema.object([
        .required("id", .id), .required("patientId", .id),
        .required("kind", .choice(PrivacyRequest.Kind.allCases.map(\.rawValue))),
        .optional("words", .text(max: 4_000), "Missing when the person was erased"), .required("filedBy", .id), .required("filedAt", .instant),
        .required("dueOn", .date), .required("overdue", .boolean),
        .optional("outcome", .choice(PrivacyRequest.Outcome.allCases.map(\.rawValue))), .optional("answer", .text(max: 4_000)),
        .optional("answeredBy", .id), .optional("answeredAt", .instant),
    ])

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("id", request.id)
            $0.field("patientId", request.patient)
            $0.field("kind", request.kind)
            $0.field("words", request.words)
            $0.field("filedBy", request.filedBy)
            $0.field("filedAt", request.filedAt)
            $0.field("dueOn", request.dueOn)
            $0.field("overdue", isOverdue)
            $0.field("outcome", request.answer?.outcome)
            $0.field("answer", request.answer?.words)
            $0.field("answeredBy", request.answer?.by)
            $0.field("answeredAt", request.answer?.at)
        }
    }
}

/// The one place where these refusals become HTTP.
extension PrivacyRequestError: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .open: .conflict("request_open", "A request of this kind waits for its answer already.")
        case .answered: .conflict("request_answered", "It was answered already. A new request may be made.")
        case .unexplained: .refused("reason_missing", "Say why it is refused: the person reads it.")
        case .erased: .conflict("record_erased", "The person was erased, so nobody can read an answer. Answer without words.")
        }
    }
}
