import Access
import Bootstrap
import HTTP
import JSON
import Loop
import Postgres
import Primitives

/// What a pharmacist must look at: what runs low, what runs out of date, and why stock changed.
@LoopActor struct StockReportRoutes {
    let host: Host

    var table: [Route] {
        [
            .get("/v1/inventory/low-stock", for: .readStock, Self.lowDocs, low),
            .get("/v1/inventory/expiring", for: .readStock, Self.expiringDocs, expiring),
            .get("/v1/inventory/movements", for: .readStock, Self.movementDocs, movements),
        ]
    }

    private func low(_ request: Request, by caller: Principal) async throws -> Response {
        let limit: Int = try request.query.optional("limit") ?? 50
        let found = try await MedicineStore(sql: host.db.reader(for: caller.tenant)).low(
            after: try MedicineCursor.read(request), today: caller.today(at: host.now()), limit: limit + 1)
        return .page(
            found.prefix(limit).map(LowStockView.init), next: MedicineCursor.next(found, limit: limit), of: request)
    }

    private func expiring(_ request: Request, by caller: Principal) async throws -> Response {
        let limit: Int = try request.query.optional("limit") ?? 50
        let days: Int = try request.query.optional("days") ?? 30
        let today = caller.today(at: host.now())
        let found = try await StockStore(sql: host.db.reader(for: caller.tenant)).expiring(
            from: today, to: today.adding(days: days), after: try BatchCursor.read(request), limit: limit + 1)
        let views = found.prefix(limit).map { ExpiringView(batch: $0, today: today) }
        return .page(views, next: BatchCursor.next(found, limit: limit), of: request)
    }

    private func movements(_ request: Request, by caller: Principal) async throws -> Response {
        let limit: Int = try request.query.optional("limit") ?? 50
        var before: MovementID?
        if let text = try request.query.optional("cursor", as: String.self) {
            before = try Cursor.decode(text).first.flatMap { MovementID($0) }
            guard before != nil else { throw Problem.invalid("cursor", "invalid_cursor", "Use nextCursor as it came.") }
        }
        let filter = MovementFilter(
            medicine: try request.query.optional("medicineId"), batch: try request.query.optional("batchId"),
            kind: try request.query.optional("kind"), from: try request.query.optional("from"),
            to: try request.query.optional("to"))
        let found = try await StockStore(sql: host.db.reader(for: caller.tenant))
            .movements(filter, before: before, limit: limit + 1)
        let shown = found.prefix(limit)
        let next = found.count > limit ? shown.last.map { Cursor.encode([$0.id.description]) } : nil
        return .page(shown.map(MovementView.init), next: next, of: request)
    }
}

extension StockReportRoutes {
    private static let paging: [Schema.Field] = [
        .optional("limit", .integer(1...100)), .optional("cursor", .text(max: 500)),
    ]

    private static func page(of fields: [Schema.Field]) -> [(status: Int, schema: Schema?)] {
        [
            (200, .object([
                .required("items", .list(of: .object(fields), max: 100)), .optional("nextCursor", .text(max: 500)),
            ]))
        ]
    }

    static let lowDocs = Route.Docs(
        "List active medicines below their reorder level, those that are out included", query: paging,
        answers: page(of: [
            .required("medicineId", .id), .required("name", .text(max: 200)),
            .required("form", .text(max: 60)), .optional("strength", .text(max: 60)),
            .required("onHand", .integer(0...Int64.max)), .required("reorderLevel", .integer(0...1_000_000_000)),
        ]))
    static let expiringDocs = Route.Docs(
        "List batches on hand that expire within so many days",
        query: [.optional("days", .integer(1...366), "30 by default; 60 and 90 are the usual others")] + paging,
        answers: page(of: [
            .required("batchId", .id), .required("medicineId", .id), .required("lotNumber", .text(max: 60)),
            .required("expiryDate", .date), .required("daysLeft", .integer(0...366)),
            .required("onHand", .integer(1...1_000_000_000)), .required("quarantined", .boolean),
        ]))
    static let movementDocs = Route.Docs(
        "List what stock gained and lost, newest first",
        query: [
            .optional("medicineId", .id), .optional("batchId", .id),
            .optional("kind", .choice(["IN", "OUT", "ADJUSTMENT"])), .optional("from", .date), .optional("to", .date),
        ] + paging,
        answers: page(of: [
            .required("id", .id), .required("batchId", .id), .required("medicineId", .id),
            .required("kind", .choice(["IN", "OUT", "ADJUSTMENT"])),
            .required("delta", .integer(-1_000_000_000...1_000_000_000)),
            .required("onHand", .integer(0...1_000_000_000)), .optional("reason", .text(max: 500)),
            .optional("dispensingId", .id), .required("actorId", .id), .required("at", .instant),
            .required("localDate", .date),
        ]))
}

struct LowStockView: JSONWritable {
    let stocked: StockedMedicine

    init(_ stocked: StockedMedicine) { self.stocked = stocked }

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("medicineId", stocked.medicine.id)
            $0.field("name", stocked.medicine.name)
            $0.field("form", stocked.medicine.form)
            $0.field("strength", stocked.medicine.strength)
            $0.field("onHand", stocked.usable)
            $0.field("reorderLevel", stocked.medicine.reorderLevel)
        }
    }
}

struct ExpiringView: JSONWritable {
    let batch: Batch
    let today: LocalDate

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("batchId", batch.id)
            $0.field("medicineId", batch.medicine)
            $0.field("lotNumber", batch.lotNumber)
            $0.field("expiryDate", batch.expiry)
            $0.field("daysLeft", batch.expiry.daysSinceEpoch - today.daysSinceEpoch)
            $0.field("onHand", batch.onHand)
            $0.field("quarantined", batch.isQuarantined)
        }
    }
}

struct MovementView: JSONWritable {
    let movement: Movement

    init(_ movement: Movement) { self.movement = movement }

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("id", movement.id)
            $0.field("batchId", movement.batch)
            $0.field("medicineId", movement.medicine)
            $0.field("kind", movement.kind)
            $0.field("delta", movement.delta)
            $0.field("onHand", movement.onHand)
            $0.field("reason", movement.reason)
            $0.field("dispensingId", movement.dispensing)
            $0.field("actorId", movement.actor)
            $0.field("at", movement.at)
            $0.field("localDate", movement.localDate)
        }
    }
}
