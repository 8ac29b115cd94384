import Access
import Bootstrap
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// Batches over HTTP: received, corrected, set aside.
@LoopActor struct StockRoutes {
    let host: Host

    var table: [Route] {
        [
            .post("/v1/inventory/batches", for: .manageStock, Self.receiveDocs, receive),
            .get("/v1/inventory/batches", for: .readStock, Self.listDocs, list),
            .get("/v1/inventory/batches/:id", for: .readStock, Self.showDocs, show),
            .patch("/v1/inventory/batches/:id", for: .manageStock, Self.adjustDocs, adjust),
            .put("/v1/inventory/batches/:id/quarantine", for: .manageStock, Self.quarantineDocs, quarantine),
        ]
    }

    private func receive(_ request: Request, by caller: Principal) async throws -> Response {
        guard let expiry = Batch.expiry(try request.body.required("expiryDate")) else {
            throw Problem.invalid("expiryDate", "invalid_date", "The last usable day as YYYY-MM-DD, or YYYY-MM.")
        }
        let cost: Money? = try request.body.optional("unitCost")
        let quantity: Int = try request.body.required("quantity")
        let batch = Batch(
            id: BatchID(), medicine: try request.body.required("medicineId"),
            lotNumber: try request.body.required("lotNumber"), expiry: expiry, receivedAt: host.now(),
            supplier: try request.body.optional("supplier"), unitCost: cost, onHand: 0, isQuarantined: false,
            version: 0)

        return try await host.write(request, by: caller) { tx in
            guard expiry >= caller.today(at: batch.receivedAt) else { throw StockError.batchExpired }
            guard try await MedicineStore(sql: tx).find(batch.medicine) != nil else { throw MedicineError.unknown }
            try await StockStore(sql: tx).insert(batch)
            let filled = try await MoveStock(tx: tx, caller: caller, now: batch.receivedAt)
                .move(batch, .received, by: quantity)
            try tx.audit("receive", "batch", batch.id.description, after: filled.audited)
            return .created(
                BatchView(filled), version: filled.version, at: "/v1/inventory/batches/\(batch.id)")
        }
    }

    private func list(_ request: Request, by caller: Principal) async throws -> Response {
        let limit: Int = try request.query.optional("limit") ?? 50
        let found = try await StockStore(sql: host.db.reader(for: caller.tenant)).batches(
            of: try request.query.optional("medicineId"), after: try BatchCursor.read(request), limit: limit + 1)
        return .page(found.prefix(limit).map(BatchView.init), next: BatchCursor.next(found, limit: limit), of: request)
    }

    private func show(_ request: Request, by caller: Principal) async throws -> Response {
        let store = StockStore(sql: host.db.reader(for: caller.tenant))
        guard let batch = try await store.find(try request.id("id")) else { throw Problem.notFound("batch") }
        return .json(200, BatchView(batch), version: batch.version)
    }

    /// A correction adds to what is there, so two of them at once are both right: If-Match is welcome, not needed.
    private func adjust(_ request: Request, by caller: Principal) async throws -> Response {
        let id = try request.id("id", of: BatchKind.self)
        let delta: Int = try request.body.required("delta")
        let reason: String = try request.body.required("reason")
        guard delta != 0 else { throw Problem.invalid("delta", "out_of_range", "A correction changes something.") }

        return try await host.write(request, by: caller) { tx in
            guard let batch = try await lock(id, request, tx) else { throw Problem.notFound("batch") }
            let stock = MoveStock(tx: tx, caller: caller, now: host.now())
            let before = try await MedicineStore(sql: tx).usable(batch.medicine, today: stock.today)
            let adjusted = try await stock.move(batch, .corrected, by: delta, because: reason)
            try await stock.warnIfLow([batch.medicine: before])
            try tx.audit("adjust", "batch", id.description, before: batch.audited, after: adjusted.audited)
            return .json(200, BatchView(adjusted), version: adjusted.version)
        }
    }

    private func quarantine(_ request: Request, by caller: Principal) async throws -> Response {
        let id = try request.id("id", of: BatchKind.self)
        let quarantined: Bool = try request.body.required("quarantined")
        let reason: String? = try request.body.optional("reason")

        return try await host.write(request, by: caller) { tx in
            guard var batch = try await lock(id, request, tx) else { throw Problem.notFound("batch") }
            guard batch.isQuarantined != quarantined else {
                return .json(200, BatchView(batch), version: batch.version)
            }
            let stock = MoveStock(tx: tx, caller: caller, now: host.now())
            let before = batch
            let usable = try await MedicineStore(sql: tx).usable(batch.medicine, today: stock.today)
            batch.isQuarantined = quarantined
            batch.quarantineReason = quarantined ? reason : nil
            batch.version = try await StockStore(sql: tx).setQuarantine(of: batch) ?? batch.version
            try await stock.warnIfLow([batch.medicine: usable])
            try tx.audit("quarantine", "batch", id.description, before: before.audited, after: batch.audited)
            return .json(200, BatchView(batch), version: batch.version)
        }
    }

    /// Holds the medicine too: corrections of two of its batches at once would each miss that together they
    /// made it run low.
    private func lock(_ id: BatchID, _ request: Request, _ tx: Transaction) async throws -> Batch? {
        let store = StockStore(sql: tx)
        guard let found = try await store.find(id) else { return nil }
        _ = try await MedicineStore(sql: tx).findForUpdate(found.medicine)
        guard let batch = try await store.findForUpdate(id) else { return nil }
        if request.header("if-match") != nil, try request.ifMatch() != batch.version { throw Problem.staleVersion }
        return batch
    }
}

/// The one place where the shelf's refusals become HTTP.
extension StockError: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .batchExists:
            .conflict("batch_exists", "This lot with this expiry is there already. Correct its quantity instead.")
        case .batchExpired:
            .refused("batch_expired", "The batch has expired. Send it back.")
        case .insufficient:
            .conflict("insufficient_stock", "There is not enough usable stock. Nothing was changed.")
        case .outOfRange:
            .refused("quantity_out_of_range", "No batch holds that many units.")
        }
    }
}
