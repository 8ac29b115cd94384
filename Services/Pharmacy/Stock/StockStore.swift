import Loop
import Postgres
import Primitives

/// Every statement that touches `batch` and `stock_movement`.
@LoopActor struct StockStore {
    let sql: any SQLSession

    private static let columns = """
        id, medicine_id, lot_number, expiry_date, received_at, supplier, unit_cost, currency, on_hand,
        quarantined, quarantine_reason, version
        """

    func find(_ id: BatchID) async throws -> Batch? {
        try await sql.first("select \(unsafe: Self.columns) from batch where id = \(id)", as: Batch.init(row:))
    }

    func findForUpdate(_ id: BatchID) async throws -> Batch? {
        try await sql.first(
            "select \(unsafe: Self.columns) from batch where id = \(id) for update", as: Batch.init(row:))
    }

    /// Locks all that may be handed out of these medicines. Every caller locks in this one order, so two
    /// dispensings that want the same batches wait for each other and never deadlock.
    func usableForUpdate(of medicines: [MedicineID], today: LocalDate) async throws -> [Batch] {
        try await sql.all(
            """
            select \(unsafe: Self.columns) from batch
            where medicine_id = any(\(medicines)::uuid[]) and on_hand > 0 and not quarantined
                and expiry_date >= \(today)
            order by expiry_date, received_at, id
            for update
            """, as: Batch.init(row:))
    }

    /// Receives an empty batch; its first movement fills it.
    func insert(_ batch: Batch) async throws {
        _ = try await onConstraint("batch_one_per_lot", throw: StockError.batchExists) {
            try await sql.run(
                """
                insert into batch (id, medicine_id, lot_number, expiry_date, received_at, supplier, unit_cost, currency)
                values (\(batch.id), \(batch.medicine), \(batch.lotNumber), \(batch.expiry), \(batch.receivedAt),
                    \(batch.supplier), \(batch.unitCost?.amount), \(batch.unitCost?.currency))
                """)
        }
    }

    /// Writes whether and why it is set aside; the answer is its new version.
    func setQuarantine(of batch: Batch) async throws -> Int? {
        try await sql.first(
            """
            update batch set quarantined = \(batch.isQuarantined), quarantine_reason = \(batch.quarantineReason),
                version = version + 1
            where id = \(batch.id)
            returning version
            """, as: { row in try row.next(as: Int.self) })
    }

    /// Moves stock: the only way it changes. The answer is what the batch holds now, and its version.
    func move(_ movement: Movement) async throws -> (onHand: Int, version: Int) {
        try await onConstraint("batch_on_hand_never_negative", throw: StockError.insufficient) {
            try await onConstraint("batch_on_hand_bounded", throw: StockError.outOfRange) {
                let moved = try await sql.first(
                    """
                    insert into stock_movement (id, batch_id, medicine_id, kind, delta, reason, dispensing_id,
                        actor_id, at, local_date)
                    values (\(movement.id), \(movement.batch), \(movement.medicine), \(movement.kind),
                        \(movement.delta), \(movement.reason), \(movement.dispensing), \(movement.actor),
                        \(movement.at), \(movement.localDate))
                    returning on_hand, batch_version
                    """,
                    as: { row in (onHand: try row.next(as: Int.self), version: try row.next(as: Int.self)) })
                guard let moved else { throw PostgresError(.server, message: "a movement returned no row") }
                return moved
            }
        }
    }

    func expiring(
        from today: LocalDate, to last: LocalDate, after: (expiry: LocalDate, id: BatchID)?, limit: Int
    ) async throws -> [Batch] {
        try await sql.all(
            """
            select \(unsafe: Self.columns) from batch
            where on_hand > 0 and expiry_date between \(today) and \(last)
                and (\(after?.expiry)::date is null or (expiry_date, id) > (\(after?.expiry)::date, \(after?.id)::uuid))
            order by expiry_date, id
            limit \(limit)
            """, as: Batch.init(row:))
    }

    /// All batches, or those of one medicine, in the order in which they run out of date.
    func batches(
        of medicine: MedicineID?, after: (expiry: LocalDate, id: BatchID)?, limit: Int
    ) async throws -> [Batch] {
        try await sql.all(
            """
            select \(unsafe: Self.columns) from batch
            where (\(medicine)::uuid is null or medicine_id = \(medicine)::uuid)
                and (\(after?.expiry)::date is null or (expiry_date, id) > (\(after?.expiry)::date, \(after?.id)::uuid))
            order by expiry_date, id
            limit \(limit)
            """, as: Batch.init(row:))
    }

    func movements(_ filter: MovementFilter, before: MovementID?, limit: Int) async throws -> [Movement] {
        try await sql.all(
            """
            select id, batch_id, medicine_id, kind, delta, on_hand, reason, dispensing_id, actor_id, at, local_date
            from stock_movement
            where (\(filter.medicine)::uuid is null or medicine_id = \(filter.medicine)::uuid)
                and (\(filter.batch)::uuid is null or batch_id = \(filter.batch)::uuid)
                and (\(filter.kind)::text is null or kind = \(filter.kind)::text)
                and (\(filter.from)::date is null or local_date >= \(filter.from)::date)
                and (\(filter.to)::date is null or local_date <= \(filter.to)::date)
                and (\(before)::uuid is null or id < \(before)::uuid)
            order by id desc
            limit \(limit)
            """, as: Movement.init(row:))
    }
}

struct MovementFilter {
    var medicine: MedicineID?
    var batch: BatchID?
    var kind: Movement.Kind?
    var from: LocalDate?
    var to: LocalDate?
}

extension Batch {
    init(row: inout Row) throws {
        id = try row.next()
        medicine = try row.next()
        lotNumber = try row.next()
        expiry = try row.next()
        receivedAt = try row.next()
        supplier = try row.next()
        let amount: Int64? = try row.next()
        let currency: Currency? = try row.next()
        if let amount, let currency { unitCost = Money(amount, currency) } else { unitCost = nil }
        onHand = try row.next()
        isQuarantined = try row.next()
        quarantineReason = try row.next()
        version = try row.next()
    }
}
