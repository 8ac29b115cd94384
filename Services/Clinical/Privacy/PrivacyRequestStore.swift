import Access
import Bootstrap
import Loop
import Postgres
import Primitives

/// Every statement that touches `privacy_request`.
@LoopActor struct PrivacyRequestStore {
    let sql: any SQLSession
    let scope: PatientScope

    /// A row with what is sealed in it, and the key of its patient unless that was destroyed.
    struct Sealed: Sendable {
        let id: PrivacyRequestID
        let patient: PatientID
        let kind: PrivacyRequest.Kind
        let words: [UInt8]
        let filedBy: AccountID
        let filedAt: Timestamp
        let dueOn: LocalDate
        let outcome: PrivacyRequest.Outcome?
        let answer: [UInt8]?
        let answeredBy: AccountID?
        let answeredAt: Timestamp?
        let dataKey: [UInt8]?
    }

    func insert(_ request: PrivacyRequest, words: [UInt8]) async throws {
        try await onConstraint("privacy_request_one_open", throw: PrivacyRequestError.open) {
            _ = try await sql.run(
                """
                insert into privacy_request (id, patient_id, kind, words, filed_by, filed_at, due_on)
                values (\(request.id), \(request.patient), \(request.kind), \(Bytes(words)), \(request.filedBy),
                        \(request.filedAt), \(request.dueOn))
                """)
        }
    }

    private static let select = """
        select r.id, r.patient_id, r.kind, r.words, r.filed_by, r.filed_at, r.due_on, r.outcome, r.answer, r.answered_by,
               r.answered_at, k.wrapped
        from privacy_request r left join data_key k on k.person_id = r.patient_id
        """

    func findForUpdate(_ id: PrivacyRequestID) async throws -> Sealed? {
        try await sql.first(
            "\(unsafe: Self.select) where r.id = \(id) and \(scope.clause("r.patient_id")) for update of r", as: Sealed.init(row:))
    }

    /// What is due first; `open` leaves out what was answered.
    func page(open: Bool, after last: (due: LocalDate, id: PrivacyRequestID)?, limit: Int) async throws -> [Sealed] {
        try await sql.all(
            """
            \(unsafe: Self.select)
            where \(scope.clause("r.patient_id")) and (not \(open)::boolean or r.outcome is null)
              and (\(last?.due)::date is null or (r.due_on, r.id) > (\(last?.due)::date, \(last?.id)::uuid))
            order by r.due_on, r.id
            limit \(limit)
            """, as: Sealed.init(row:))
    }

    /// Every one about a person, newest first.
    func all(of patient: PatientID, limit: Int) async throws -> [Sealed] {
        try await sql.all(
            """
            \(unsafe: Self.select) where r.patient_id = \(patient) and \(scope.clause("r.patient_id"))
            order by r.id desc limit \(limit)
            """, as: Sealed.init(row:))
    }

    func saveAnswer(of request: PrivacyRequest, words: [UInt8]?) async throws {
        try await sql.run(
            """
            update privacy_request
            set outcome = \(request.answer?.outcome), answer = \(words.map { Bytes($0) }), answered_by = \(request.answer?.by),
                answered_at = \(request.answer?.at)
            where id = \(request.id)
            """)
    }

    /// Claims those whose day comes near and that nobody was told of yet: each is told once, by one replica.
    func claimNear(
        dueBy day: LocalDate, at now: Timestamp
    ) async throws -> [(id: PrivacyRequestID, patient: PatientID, kind: String, dueOn: LocalDate)] {
        try await sql.all(
            """
            update privacy_request set reminded_at = \(now)
            where id in (select id from privacy_request where outcome is null and reminded_at is null and due_on <= \(day)
                         and \(scope.clause("patient_id")) order by due_on limit 100 for update skip locked)
            returning id, patient_id, kind, due_on
            """) { (try $0.next(), try $0.next(), try $0.next(), try $0.next()) }
    }

    func counts(on today: LocalDate) async throws -> (open: Int, overdue: Int) {
        try await sql.first(
            "select count(*), count(*) filter (where due_on < \(today)) from privacy_request where outcome is null",
            as: { (try $0.next(), try $0.next()) }) ?? (0, 0)
    }
}

extension PrivacyRequestStore.Sealed {
    init(row: inout Row) throws {
        id = try row.next()
        patient = try row.next()
        kind = try row.next()
        words = try row.next(as: Bytes.self).array
        filedBy = try row.next()
        filedAt = try row.next()
        dueOn = try row.next()
        outcome = try row.next()
        answer = try row.next(as: Bytes?.self)?.array
        answeredBy = try row.next()
        answeredAt = try row.next()
        dataKey = try row.next(as: Bytes?.self)?.array
    }

    /// Nil when the person was erased.
    @LoopActor func vault(_ ring: KeyRing, _ scope: PatientScope) throws -> PatientVault? {
        try dataKey.map { try PatientVault(of: patient, wrappedKey: $0, ring: ring, for: scope) }
    }

    @LoopActor func open(_ ring: KeyRing, _ scope: PatientScope) throws -> PrivacyRequest {
        let vault = try vault(ring, scope)
        func text(_ box: [UInt8], _ column: String) throws -> String? {
            try vault.map { String(decoding: try $0.open(box, "privacy_request", column, row: id.description), as: UTF8.self) }
        }
        var given: PrivacyRequest.Answer?
        if let outcome, let answeredBy, let answeredAt {
            given = PrivacyRequest.Answer(
                outcome: outcome, words: try answer.flatMap { try text($0, "answer") }, by: answeredBy, at: answeredAt)
        }
        return PrivacyRequest(
            id: id, patient: patient, kind: kind, words: try text(words, "words"), filedBy: filedBy, filedAt: filedAt, dueOn: dueOn,
            answer: given)
    }
}
