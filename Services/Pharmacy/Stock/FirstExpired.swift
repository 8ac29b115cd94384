import Primitives

/// Decides which batches a handing over is taken from: first expired, first out.
///
/// Batches that expire on the same day go in the order they came. One need may be split over several batches,
/// and two needs for one medicine share what there is. All or nothing: a shortage takes nothing.
enum FirstExpired {
    struct Need: Equatable, Sendable {
        let item: PrescriptionItemID
        let medicine: MedicineID
        let quantity: Int
    }

    struct Pick: Equatable, Sendable {
        let item: PrescriptionItemID
        let batch: Batch
        let quantity: Int
    }

    static func allocate(
        _ needs: [Need], from batches: [Batch], today: LocalDate
    ) throws(StockError) -> [Pick] {
        var shelf = batches.filter { $0.isUsable(on: today) }.sorted(by: comesFirst)
        var picks: [Pick] = []
        for need in needs {
            var missing = need.quantity
            for index in shelf.indices where missing > 0 && shelf[index].medicine == need.medicine {
                let taken = min(missing, shelf[index].onHand)
                guard taken > 0 else { continue }
                picks.append(Pick(item: need.item, batch: shelf[index], quantity: taken))
                shelf[index].onHand -= taken
                missing -= taken
            }
            guard missing == 0 else { throw .insufficient }
        }
        return picks
    }

    /// The one order of batches, here and where their rows are locked.
    static func comesFirst(_ a: Batch, _ b: Batch) -> Bool {
        (a.expiry, a.receivedAt, a.id) < (b.expiry, b.receivedAt, b.id)
    }
}
