import Bootstrap
import JSON
import Loop
import Postgres
import Primitives

/// Something a clinician wrote: a note during a visit, or an addendum after its signature.
struct VisitWords: JSONWritable, Sendable {
    let id: ID<VisitWords>
    let category: NoteCategory?
    let author: AccountID
    let writtenAt: Timestamp
    let text: String

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("id", id)
            $0.field("category", category)
            $0.field("text", text)
            $0.field("authorId", author)
            $0.field("writtenAt", writtenAt)
        }
    }
}

enum NoteCategory: String, CaseIterable, Sendable, JSONReadable, JSONWritable {
    case symptom = "SYMPTOM"
    case observation = "OBSERVATION"
    case diagnosis = "DIAGNOSIS"
    case treatment = "TREATMENT"
}

/// Every statement that touches `visit_note`, `visit_addendum` and `visit_snapshot`: rows that are only ever added.
@LoopActor struct VisitWordsStore {
    let sql: any SQLSession
    let vault: PatientVault

    func insert(note: VisitWords, _ category: NoteCategory, of visit: VisitID) async throws {
        let body = try vault.seal(Array(note.text.utf8), "visit_note", "body", row: note.id.description)
        _ = try await onConstraint("visit_signed", throw: VisitError.signed) {
            try await sql.run(
                """
                insert into visit_note (id, visit_id, category, author_id, written_at, body)
                values (\(note.id), \(visit), \(category.rawValue), \(note.author), \(note.writtenAt), \(Bytes(body)))
                """)
        }
    }

    /// In the order they were written; a visit has few.
    func notes(of visit: VisitID) async throws -> [VisitWords] {
        try await sql.all(
            """
            select id, category, author_id, written_at, body from visit_note
            where visit_id = \(visit) order by id limit 1000
            """
        ) { row in
            let id: ID<VisitWords> = try row.next()
            return VisitWords(
                id: id, category: NoteCategory(rawValue: try row.next()), author: try row.next(),
                writtenAt: try row.next(), text: try open(row.next(), "visit_note", id))
        }
    }

    func insert(addendum: VisitWords, of visit: VisitID) async throws {
        let body = try vault.seal(Array(addendum.text.utf8), "visit_addendum", "body", row: addendum.id.description)
        try await sql.run(
            """
            insert into visit_addendum (id, visit_id, author_id, written_at, body)
            values (\(addendum.id), \(visit), \(addendum.author), \(addendum.writtenAt), \(Bytes(body)))
            """)
    }

    func addenda(of visit: VisitID) async throws -> [VisitWords] {
        try await sql.all(
            "select id, author_id, written_at, body from visit_addendum where visit_id = \(visit) order by id limit 1000"
        ) { row in
            let id: ID<VisitWords> = try row.next()
            return VisitWords(
                id: id, category: nil, author: try row.next(), writtenAt: try row.next(),
                text: try open(row.next(), "visit_addendum", id))
        }
    }

    /// The whole visit as it was signed.
    func insert(snapshot: [UInt8], of visit: Visit, signedAt: Timestamp) async throws {
        let body = try vault.seal(snapshot, "visit_snapshot", "body", row: visit.id.description)
        try await sql.run(
            """
            insert into visit_snapshot (visit_id, patient_id, local_date, signed_by, signed_at, body)
            values (\(visit.id), \(visit.patient), \(visit.localDate), \(visit.practitioner), \(signedAt), \(Bytes(body)))
            """)
    }

    private func open(_ body: Bytes, _ table: String, _ id: ID<VisitWords>) throws -> String {
        String(decoding: try vault.open(body.array, table, "body", row: id.description), as: UTF8.self)
    }
}
