import Primitives
import Testing

@testable import Pharmacy

@Suite struct FirstExpiredTests {
    let today = day(100)

    @Test func `The batch that expires first is used first, and the rest comes from the next`() throws {
        let medicine = MedicineID()
        let late = Batch.sample(medicine, expires: day(300), onHand: 100)
        let soon = Batch.sample(medicine, expires: day(150), onHand: 10)
        let picks = try FirstExpired.allocate([need(medicine, 15)], from: [late, soon], today: today)
        #expect(picks.map(\.batch.id) == [soon.id, late.id])
        #expect(picks.map(\.quantity) == [10, 5])
    }

    @Test func `Batches of one expiry are used in the order they came`() throws {
        let medicine = MedicineID()
        let second = Batch.sample(medicine, expires: day(150), received: 2, onHand: 5)
        let first = Batch.sample(medicine, expires: day(150), received: 1, onHand: 5)
        let picks = try FirstExpired.allocate([need(medicine, 6)], from: [second, first], today: today)
        #expect(picks.map(\.batch.id) == [first.id, second.id])
    }

    @Test func `The last usable day is still usable, the day after is not`() throws {
        let medicine = MedicineID()
        let batch = Batch.sample(medicine, expires: today, onHand: 5)
        #expect(try FirstExpired.allocate([need(medicine, 5)], from: [batch], today: today).count == 1)
        #expect(throws: StockError.insufficient) {
            try FirstExpired.allocate([need(medicine, 5)], from: [batch], today: today.adding(days: 1))
        }
    }

    @Test func `What is set aside is never handed out`() {
        let medicine = MedicineID()
        var batch = Batch.sample(medicine, expires: day(150), onHand: 5)
        batch.isQuarantined = true
        #expect(throws: StockError.insufficient) {
            try FirstExpired.allocate([need(medicine, 1)], from: [batch], today: today)
        }
    }

    @Test func `Two items of one medicine share what there is`() throws {
        let medicine = MedicineID()
        let batch = Batch.sample(medicine, expires: day(150), onHand: 10)
        let picks = try FirstExpired.allocate([need(medicine, 6), need(medicine, 4)], from: [batch], today: today)
        #expect(picks.map(\.quantity) == [6, 4])
        #expect(throws: StockError.insufficient) {
            try FirstExpired.allocate([need(medicine, 6), need(medicine, 5)], from: [batch], today: today)
        }
    }

    /// One unit at a time, always from the usable batch that comes first: slow and plainly right.
    private func bruteForce(_ needs: [FirstExpired.Need], _ batches: [Batch]) -> [[BatchID: Int]]? {
        var left = batches
        var taken: [[BatchID: Int]] = []
        for need in needs {
            var units: [BatchID: Int] = [:]
            for _ in 0..<need.quantity {
                let usable = left.indices.filter {
                    left[$0].medicine == need.medicine && left[$0].onHand > 0 && left[$0].isUsable(on: today)
                }
                guard let best = usable.min(by: { FirstExpired.comesFirst(left[$0], left[$1]) }) else { return nil }
                left[best].onHand -= 1
                units[left[best].id, default: 0] += 1
            }
            taken.append(units)
        }
        return taken
    }

    @Test func `Whatever is on the shelf, it agrees with taking one unit at a time`() throws {
        var random = SplitMix(seed: 20_261_120)
        for _ in 0..<2_000 {
            let medicines = [MedicineID(), MedicineID()]
            let batches = (0..<Int.random(in: 0...6, using: &random)).map { _ in
                var batch = Batch.sample(
                    medicines[Int.random(in: 0...1, using: &random)], expires: day(Int.random(in: 97...104, using: &random)),
                    received: Int64.random(in: 0...2, using: &random), onHand: Int.random(in: 0...6, using: &random))
                batch.isQuarantined = Int.random(in: 0...5, using: &random) == 0
                return batch
            }
            let needs = (0..<Int.random(in: 1...4, using: &random)).map { _ in
                need(medicines[Int.random(in: 0...1, using: &random)], Int.random(in: 1...8, using: &random))
            }
            guard let expected = bruteForce(needs, batches) else {
                #expect(throws: StockError.insufficient) {
                    try FirstExpired.allocate(needs, from: batches, today: today)
                }
                continue
            }
            let picks = try FirstExpired.allocate(needs, from: batches, today: today)
            for (need, units) in zip(needs, expected) {
                var mine: [BatchID: Int] = [:]
                for pick in picks where pick.item == need.item { mine[pick.batch.id, default: 0] += pick.quantity }
                #expect(mine == units)
            }
        }
    }

    private func need(_ medicine: MedicineID, _ quantity: Int) -> FirstExpired.Need {
        FirstExpired.Need(item: PrescriptionItemID(), medicine: medicine, quantity: quantity)
    }
}

@Suite struct BatchTests {
    @Test(arguments: [
        ("2026-11-20", "2026-11-20"), ("2026-11", "2026-11-30"), ("2028-02", "2028-02-29"), ("2027-12", "2027-12-31"),
    ])
    func `A pack that names a month lasts to its end`(text: String, last: String) {
        #expect(Batch.expiry(text)?.description == last)
    }

    @Test(arguments: ["2026-13", "2026-02-30", "2026", "11/2026", "", "2026-1"])
    func `What is no day is refused`(text: String) {
        #expect(Batch.expiry(text) == nil)
    }
}

@Suite struct MedicineTests {
    @Test func `Only the sale that crosses the reorder level is announced`() {
        var medicine = Medicine(id: MedicineID(), name: "A", form: "tablet", unitPrice: Money(1, .inr))
        medicine.reorderLevel = 10
        #expect(medicine.ranLow(from: 12, to: 9))
        #expect(!medicine.ranLow(from: 12, to: 10))
        #expect(!medicine.ranLow(from: 9, to: 8))
        medicine.reorderLevel = 0
        #expect(medicine.ranLow(from: 1, to: 0))
        #expect(Medicine.isLow(0, reorderLevel: 0))
    }
}

/// A day this many days into 2026.
func day(_ number: Int) -> LocalDate {
    (LocalDate(year: 2026, month: 1, day: 1) ?? LocalDate(daysSinceEpoch: 0)).adding(days: number)
}

extension Batch {
    static func sample(_ medicine: MedicineID, expires: LocalDate, received: Int64 = 0, onHand: Int) -> Batch {
        Batch(
            id: BatchID(), medicine: medicine, lotNumber: "L1", expiry: expires,
            receivedAt: Timestamp(microseconds: received), supplier: nil, unitCost: nil, onHand: onHand,
            isQuarantined: false, version: 1)
    }
}

/// A small generator with a seed, so that a failing case comes again.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
