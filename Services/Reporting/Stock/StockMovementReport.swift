import Access
import Bootstrap
import Contracts
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// Pharmacy's movements, kept for reports over months.
@LoopActor struct StockMovementStore {
    let sql: any SQLSession

    func insert(_ movements: [StockMovement]) async throws {
        try await sql.run(
            """
            insert into stock_movement (id, batch_id, medicine_id, kind, delta, on_hand, actor_id, at, local_date)
            select * from unnest(
                \(movements.map(\.id))::uuid[], \(movements.map(\.batch))::uuid[],
                \(movements.map(\.medicine))::uuid[], \(movements.map(\.kind))::text[],
                \(movements.map(\.delta))::bigint[], \(movements.map(\.onHand))::bigint[],
                \(SQLArray(movements.map(\.actor)))::uuid[], \(movements.map(\.at))::timestamptz[],
                \(movements.map(\.localDate))::date[])
            on conflict (id) do nothing
            """)
    }

    func page(
        medicine: MedicineID?, kind: String?, from: LocalDate?, to: LocalDate?, before: MovementID?, limit: Int
    ) async throws -> [StockMovement] {
        try await sql.all(
            """
            select id, batch_id, medicine_id, kind, delta, on_hand, actor_id, at, local_date from stock_movement
            where (\(medicine)::uuid is null or medicine_id = \(medicine)::uuid)
                and (\(kind)::text is null or kind = \(kind)::text)
                and (\(from)::date is null or local_date >= \(from)::date)
                and (\(to)::date is null or local_date <= \(to)::date)
                and (\(before)::uuid is null or id < \(before)::uuid)
            order by id desc
            limit \(limit)
            """, as: StockMovement.init(row:))
    }
}

struct StockMovement: JSONWritable {
    let id: MovementID
    let batch: BatchID
    let medicine: MedicineID
    let kind: String
    let delta: Int
    let onHand: Int
    let actor: AccountID?
    let at: Timestamp
    let localDate: LocalDate

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("id", id)
            $0.field("batchId", batch)
            $0.field("medicineId", medicine)
            $0.field("kind", kind)
            $0.field("delta", delta)
            $0.field("onHand", onHand)
            $0.field("actorId", actor)
            $0.field("at", at)
            $0.field("localDate", localDate)
        }
    }
}

extension StockMovement {
    init(_ moved: StockMoved, _ envelope: Envelope) {
        self.init(
            id: moved.movementID, batch: moved.batchID, medicine: moved.medicineID, kind: moved.kind,
            delta: moved.delta, onHand: moved.onHand, actor: envelope.actor, at: envelope.occurredAt,
            localDate: moved.localDate)
    }

    init(row: inout Row) throws {
        id = try row.next()
        batch = try row.next()
        medicine = try row.next()
        kind = try row.next()
        delta = try row.next()
        onHand = try row.next()
        actor = try row.next()
        at = try row.next()
        localDate = try row.next()
    }
}

extension Reaction {
    /// Every movement of stock is kept for the report.
    static let keepMovement = Reaction(
        toAll: StockMoved.self, named: "reporting.keep-movement"
    ) { moved, tx in
        try await StockMovementStore(sql: tx).insert(moved.map { StockMovement($0.event, $0.envelope) })
    }
}

/// The movements over HTTP.
@LoopActor struct StockMovementRoutes {
    let host: Host

    var table: [Route] { [.get("/v1/reports/stock-movements", for: .readStockMovements, Self.docs, list)] }

    private func list(_ request: Request, by caller: Principal) async throws -> Response {
        let limit: Int = try request.query.optional("limit") ?? 50
        var before: MovementID?
        if let text = try request.query.optional("cursor", as: String.self) {
            before = try Cursor.decode(text).first.flatMap { MovementID($0) }
            guard before != nil else { throw Problem.invalid("cursor", "invalid_cursor", "Use nextCursor as it came.") }
        }
        let found = try await StockMovementStore(sql: host.db.reader(for: caller.tenant)).page(
            medicine: try request.query.optional("medicineId"), kind: try request.query.optional("kind"),
            from: try request.query.optional("from"), to: try request.query.optional("to"), before: before,
            limit: limit + 1)
        let shown = found.prefix(limit)
        let next = found.count > limit ? shown.last.map { Cursor.encode([$0.id.description]) } : nil
        return .page(Array(shown), next: next, of: request)
    }

    static let docs = Route.Docs(
        "Read what stock gained and lost, newest first",
        query: [
            .optional("medicineId", .id), .optional("kind", .choice(["IN", "OUT", "ADJUSTMENT"])),
            .optional("from", .date), .optional("to", .date, "Included"), .optional("limit", .integer(1...100)),
            .optional("cursor", .text(max: 500)),
        ],
        answers: [
            (200, .object([
                .required(
                    "items",
                    .list(
                        of: .object([
                            .required("id", .id), .required("batchId", .id), .required("medicineId", .id),
                            .required("kind", .choice(["IN", "OUT", "ADJUSTMENT"])),
                            .required("delta", .integer(-1_000_000_000...1_000_000_000)),
                            .required("onHand", .integer(0...1_000_000_000)), .optional("actorId", .id),
                            .required("at", .instant), .required("localDate", .date),
                        ]), max: 100)),
                .optional("nextCursor", .text(max: 500)),
            ]))
        ])
}
