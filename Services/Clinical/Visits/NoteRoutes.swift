import Access
import Bootstrap
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// Words about a visit: notes while it is open, addenda once it is signed. Neither is ever changed.
@LoopActor struct NoteRoutes {
    let host: Host
    let keys: TenantKeys

    var table: [Route] {
        [
            .post(
                "/v1/visits/:id/notes", for: .recordVisits,
                .init("Write a note", body: .newNote, answers: [(201, .words)], problems: ["visit_signed"]), addNote),
            .get(
                "/v1/visits/:id/notes", for: .readVisits,
                .init("Read a visit's notes", answers: [(200, .page(of: .words))]), notes),
            .post(
                "/v1/visits/:id/addenda", for: .completeVisits,
                .init(
                    "Add to a signed visit", body: .newAddendum, answers: [(201, .words)],
                    problems: ["visit_not_signed", "practitioner_unlicensed"]), addAddendum),
            .get(
                "/v1/visits/:id/addenda", for: .readVisits,
                .init("Read what was added to a signed visit", answers: [(200, .page(of: .words))]), addenda),
        ]
    }

    private func addNote(_ request: Request, _ caller: Principal) async throws -> Response {
        let category: NoteCategory = try request.body.required("category")
        let note = try words(request, category, caller)

        return try await write(request, caller) { visit, vault, tx in
            try visit.mayBeExtended()
            try await VisitWordsStore(sql: tx, vault: vault).insert(note: note, category, of: visit.id)
            try tx.audit(
                "create", "visit_note", note.id.description, of: visit.patient,
                after: JSONObject([
                    ("visitId", .string(visit.id.description)), ("category", .string(category.rawValue)),
                ]))
            return .created(note)
        }
    }

    private func addAddendum(_ request: Request, _ caller: Principal) async throws -> Response {
        let addendum = try words(request, nil, caller)
        try await RequireLicence(host: host)(of: caller, on: caller.today(at: host.now()), orThrow: VisitError.unlicensed)

        return try await write(request, caller) { visit, vault, tx in
            try visit.mayHaveAddendum()
            try await VisitWordsStore(sql: tx, vault: vault).insert(addendum: addendum, of: visit.id)
            try tx.audit(
                "create", "visit_addendum", addendum.id.description, of: visit.patient,
                after: JSONObject([("visitId", .string(visit.id.description))]))
            return .created(addendum)
        }
    }

    private func notes(_ request: Request, _ caller: Principal) async throws -> Response {
        let (visit, store) = try await read(request, caller, "visit_notes")
        return .page(try await store.notes(of: visit), next: nil, of: request)
    }

    private func addenda(_ request: Request, _ caller: Principal) async throws -> Response {
        let (visit, store) = try await read(request, caller, "visit_addenda")
        return .page(try await store.addenda(of: visit), next: nil, of: request)
    }

    private func words(_ request: Request, _ category: NoteCategory?, _ caller: Principal) throws -> VisitWords {
        VisitWords(
            id: ID<VisitWords>(), category: category, author: caller.account, writtenAt: host.now(),
            text: try request.body.required("text"))
    }

    private func write(
        _ request: Request, _ caller: Principal,
        _ body: @LoopActor (Visit, PatientVault, Transaction) async throws -> Response
    ) async throws -> Response {
        let id: VisitID = try request.id("id")
        let ring = try await keys.ring(for: caller.tenant)
        return try await host.write(request, by: caller) { tx in
            // Locked, so that nobody signs the visit while this is written.
            let scope = caller.chartScope
            guard let row = try await VisitStore(sql: tx, scope: scope).findForUpdate(id) else {
                throw try await ChartRefusal(sql: tx, scope: scope).visit(id)
            }
            let vault = try row.vault(ring, scope)
            return try await body(try row.open(vault), vault, tx)
        }
    }

    private func read(
        _ request: Request, _ caller: Principal, _ what: String
    ) async throws -> (VisitID, VisitWordsStore) {
        let sql = host.db.reader(for: caller.tenant)
        let scope = caller.chartScope
        let id: VisitID = try request.id("id")
        guard let row = try await VisitStore(sql: sql, scope: scope).find(id),
            let ring = try await keys.existing(caller.tenant)
        else { throw try await ChartRefusal(sql: sql, scope: scope).visit(id) }
        scope.trail?.read(what, id.description, of: row.patient, on: row.ground)
        return (id, VisitWordsStore(sql: sql, vault: try row.vault(ring, scope)))
    }
}
