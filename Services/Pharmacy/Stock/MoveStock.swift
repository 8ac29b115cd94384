import Access
import Contracts
import Loop
import Messaging
import Postgres
import Primitives

/// Moves stock and says what follows from it, inside the caller's transaction.
@LoopActor struct MoveStock {
    let tx: Transaction
    let caller: Principal
    let now: Timestamp

    var today: LocalDate { caller.today(at: now) }

    /// Changes one batch and announces the movement. The answer is the batch as it is now.
    func move(
        _ batch: Batch, _ kind: Movement.Kind, by delta: Int, because reason: String? = nil,
        for dispensing: DispensingID? = nil
    ) async throws -> Batch {
        let movement = Movement(
            id: MovementID(), batch: batch.id, medicine: batch.medicine, kind: kind, delta: delta, onHand: 0,
            reason: reason, dispensing: dispensing, actor: caller.account, at: now, localDate: today)
        let (onHand, version) = try await StockStore(sql: tx).move(movement)
        // The reason is free text of a person: it stays in our own table.
        try tx.announce(
            StockMoved(
                movementID: movement.id, batchID: batch.id, medicineID: batch.medicine, kind: kind.rawValue,
                delta: delta, onHand: onHand, reason: nil, localDate: today),
            revision: version)
        var moved = batch
        moved.onHand = onHand
        moved.version = version
        return moved
    }

    /// Announces every medicine that fell below its reorder level since `before` was counted.
    func warnIfLow(_ before: [MedicineID: Int]) async throws {
        let store = MedicineStore(sql: tx)
        for medicine in try await store.find(before.keys.sorted()) {
            let after = try await store.usable(medicine.id, today: today)
            guard let had = before[medicine.id], medicine.ranLow(from: had, to: after) else { continue }
            // Revision 0: stock runs low again and again without the catalogue's entry changing.
            try tx.announce(
                StockRanLow(medicineID: medicine.id, onHand: after, reorderLevel: medicine.reorderLevel), revision: 0)
        }
    }
}
