import Access
import Bootstrap
import Contracts
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// The catalogue over HTTP: staff read it, pharmacists write it.
@LoopActor struct MedicineRoutes {
    let host: Host

    var table: [Route] {
        [
            .get("/v1/inventory/medicines", for: .readMedicines, Self.listDocs, list),
            .post("/v1/inventory/medicines", for: .manageMedicines, Self.addDocs, add),
            .get("/v1/inventory/medicines/:id", for: .readMedicines, Self.showDocs, show),
            .patch("/v1/inventory/medicines/:id", for: .manageMedicines, Self.changeDocs, change),
            .get("/internal/cards/medicines/:id", for: .readCards, Self.cardDocs, card),
        ]
    }

    private func list(_ request: Request, by caller: Principal) async throws -> Response {
        let limit: Int = try request.query.optional("limit") ?? 50
        let today = caller.today(at: host.now())
        let found = try await MedicineStore(sql: host.db.reader(for: caller.tenant)).page(
            search: try request.query.optional("search"), active: try request.query.optional("active"),
            after: try MedicineCursor.read(request), today: today, limit: limit + 1)
        return .page(
            found.prefix(limit).map(MedicineView.init), next: MedicineCursor.next(found, limit: limit), of: request)
    }

    private func add(_ request: Request, by caller: Principal) async throws -> Response {
        var medicine = Medicine(
            id: MedicineID(), name: try request.body.required("name"), form: try request.body.required("form"),
            unitPrice: try request.body.required("unitPrice"))
        try medicine.apply(request.body)
        guard medicine.unitPrice.currency == caller.currency else { throw MedicineError.currencyMismatch }
        let added = medicine

        return try await host.write(request, by: caller) { tx in
            try await MedicineStore(sql: tx).insert(added, at: host.now())
            try tx.announce(MedicineListed(added), revision: added.version)
            try tx.audit("create", "medicine", added.id.description, after: added.audited)
            let view = MedicineView(added, usable: 0)
            return .created(view, version: added.version, at: "/v1/inventory/medicines/\(added.id)")
        }
    }

    private func show(_ request: Request, by caller: Principal) async throws -> Response {
        let store = MedicineStore(sql: host.db.reader(for: caller.tenant))
        guard let medicine = try await store.find(try request.id("id")) else { throw Problem.notFound("medicine") }
        let usable = try await store.usable(medicine.id, today: caller.today(at: host.now()))
        return .json(200, MedicineView(medicine, usable: usable), version: medicine.version)
    }

    private func change(_ request: Request, by caller: Principal) async throws -> Response {
        let id = try request.id("id", of: MedicineKind.self)
        let expected = try request.ifMatch()

        return try await host.write(request, by: caller) { tx in
            let store = MedicineStore(sql: tx)
            guard let before = try await store.findForUpdate(id) else { throw Problem.notFound("medicine") }
            guard before.version == expected else { throw Problem.staleVersion }
            var medicine = before
            try medicine.apply(request.body)
            guard medicine.unitPrice.currency == caller.currency else { throw MedicineError.currencyMismatch }
            medicine.version += 1
            try await store.update(medicine)
            try tx.announce(MedicineListed(medicine), revision: medicine.version)
            try tx.audit("update", "medicine", id.description, before: before.audited, after: medicine.audited)
            let usable = try await store.usable(id, today: caller.today(at: host.now()))
            return .json(200, MedicineView(medicine, usable: usable), version: medicine.version)
        }
    }

    private func card(_ request: Request, by caller: Principal) async throws -> Response {
        let store = MedicineStore(sql: host.db.reader(for: caller.tenant))
        guard let medicine = try await store.find(try request.id("id")) else { throw Problem.notFound("medicine") }
        return .json(200, MedicineListed(medicine), version: medicine.version)
    }
}

/// The one place where a medicine's refusals become HTTP.
extension MedicineError: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .currencyMismatch:
            .refused("currency_mismatch", "Prices are in the currency of your location.")
        case .unknown:
            .refused("medicine_unknown", "The catalogue has no such medicine. Add it first.")
        }
    }
}
