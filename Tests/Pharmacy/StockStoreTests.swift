import Bootstrap
import Loop
import Postgres
import Primitives
import TestSupport
import Testing

@testable import Pharmacy

@Suite struct StockStoreTests {
    @Test func `A batch holds what its movements add up to, and never less than nothing`() async throws {
        try await onLoop {
            try await TestDatabase.with(PharmacyService.migrations) { test in
                let batch = try await test.batch(holding: 10)
                try await test.db.transaction(for: test.tenant) { tx in
                    let moved = try await StockStore(sql: tx).move(.sample(batch, .handedOut, -4))
                    #expect(moved.onHand == 6)
                    #expect(moved.version == 2)
                }
                await #expect(throws: StockError.insufficient) {
                    try await test.db.transaction(for: test.tenant) { tx in
                        _ = try await StockStore(sql: tx).move(.sample(batch, .handedOut, -7))
                    }
                }
                let store = StockStore(sql: test.db.reader(for: test.tenant))
                #expect(try await store.find(batch.id)?.onHand == 6)
                let movements = try await store.movements(MovementFilter(batch: batch.id), before: nil, limit: 10)
                #expect(movements.map(\.delta) == [-4, 10])
            }
        }
    }

    @Test func `The service has no right to write stock or to alter a movement`() async throws {
        try await onLoop {
            try await TestDatabase.with(PharmacyService.migrations) { test in
                _ = try await test.batch(holding: 10)
                for statement: SQL in [
                    "update batch set on_hand = 99", "update stock_movement set delta = 1", "delete from stock_movement",
                    "delete from dispensing", "delete from batch",
                ] {
                    await #expect(throws: PostgresError.self) {
                        try await test.db.transaction(for: test.tenant) { tx in _ = try await tx.run(statement) }
                    }
                }
            }
        }
    }

    @Test func `Another tenant sees no batch and cannot move one`() async throws {
        try await onLoop {
            try await TestDatabase.with(PharmacyService.migrations) { test in
                let batch = try await test.batch(holding: 10)
                let stranger = TenantID()
                #expect(try await StockStore(sql: test.db.reader(for: stranger)).find(batch.id) == nil)
                await #expect(throws: PostgresError.self) {
                    try await test.db.transaction(for: stranger) { tx in
                        _ = try await StockStore(sql: tx).move(.sample(batch, .handedOut, -1))
                    }
                }
            }
        }
    }

    @Test func `One lot with one expiry is one batch`() async throws {
        try await onLoop {
            try await TestDatabase.with(PharmacyService.migrations) { test in
                let batch = try await test.batch(holding: 10)
                let twin = Batch(
                    id: BatchID(), medicine: batch.medicine, lotNumber: batch.lotNumber, expiry: batch.expiry,
                    receivedAt: batch.receivedAt, supplier: nil, unitCost: nil, onHand: 0, isQuarantined: false, version: 0)
                await #expect(throws: StockError.batchExists) {
                    try await test.db.transaction(for: test.tenant) { tx in try await StockStore(sql: tx).insert(twin) }
                }
            }
        }
    }

    @Test func `Twenty at once hand out what there is and not one unit more`() async throws {
        try await onLoop {
            try await TestDatabase.with(PharmacyService.migrations) { test in
                let batch = try await test.batch(holding: 35)
                let tries = (0..<20).map { _ in
                    EventLoop.spawn {
                        try await test.db.transaction(for: test.tenant) { tx in
                            let store = StockStore(sql: tx)
                            let shelf = try await store.usableForUpdate(of: [batch.medicine], today: day(0))
                            let need = FirstExpired.Need(
                                item: PrescriptionItemID(), medicine: batch.medicine, quantity: 10)
                            for pick in try FirstExpired.allocate([need], from: shelf, today: day(0)) {
                                _ = try await store.move(.sample(pick.batch, .handedOut, -pick.quantity))
                            }
                        }
                    }
                }
                var served = 0
                for attempt in tries {
                    do {
                        try await attempt.value
                        served += 1
                    } catch StockError.insufficient {}
                }
                #expect(served == 3)
                #expect(try await StockStore(sql: test.db.reader(for: test.tenant)).find(batch.id)?.onHand == 5)
            }
        }
    }

    @Test func `A medicine that is out is on the low-stock list`() async throws {
        try await onLoop {
            try await TestDatabase.with(PharmacyService.migrations) { test in
                var medicine = Medicine(id: MedicineID(), name: "B", form: "tablet", unitPrice: Money(1, .inr))
                medicine.reorderLevel = 0
                let out = medicine
                try await test.db.transaction(for: test.tenant) { tx in
                    try await MedicineStore(sql: tx).insert(out, at: Timestamp(microseconds: 0))
                }
                let low = try await MedicineStore(sql: test.db.reader(for: test.tenant))
                    .low(after: nil, today: day(0), limit: 10)
                #expect(low.map(\.medicine.id) == [out.id])
                #expect(low.map(\.usable) == [0])
            }
        }
    }

    @Test func `The catalogue is searched by any part of a name and paged without gaps`() async throws {
        try await onLoop {
            try await TestDatabase.with(PharmacyService.migrations) { test in
                try await test.db.transaction(for: test.tenant) { tx in
                    for name in ["Amoxicillin", "amlodipine", "Zinc", "100% Glycerol"] {
                        let medicine = Medicine(id: MedicineID(), name: name, form: "tablet", unitPrice: Money(1, .inr))
                        try await MedicineStore(sql: tx).insert(medicine, at: Timestamp(microseconds: 0))
                    }
                }
                let store = MedicineStore(sql: test.db.reader(for: test.tenant))
                func names(_ search: String?, after: StockedMedicine? = nil, limit: Int = 10) async throws -> [StockedMedicine] {
                    try await store.page(
                        search: search, active: nil, after: after.map { ($0.sortName, $0.medicine.id) }, today: day(0),
                        limit: limit)
                }
                #expect(try await names("AM").map(\.medicine.name) == ["amlodipine", "Amoxicillin"])
                #expect(try await names("%").map(\.medicine.name) == ["100% Glycerol"])
                let first = try await names(nil, limit: 2)
                let rest = try await names(nil, after: first.last, limit: 2)
                #expect((first + rest).map(\.medicine.name) == ["100% Glycerol", "amlodipine", "Amoxicillin", "Zinc"])
            }
        }
    }
}

extension TestDatabase {
    /// A medicine with one batch of so many units.
    func batch(holding quantity: Int) async throws -> Batch {
        let medicine = Medicine(id: MedicineID(), name: "A", form: "tablet", unitPrice: Money(100, .inr))
        let batch = Batch.sample(medicine.id, expires: day(400), onHand: quantity)
        try await db.transaction(for: tenant) { tx in
            try await MedicineStore(sql: tx).insert(medicine, at: Timestamp(microseconds: 0))
            try await StockStore(sql: tx).insert(batch)
            _ = try await StockStore(sql: tx).move(.sample(batch, .received, quantity))
        }
        return batch
    }
}

extension Movement {
    static func sample(_ batch: Batch, _ kind: Kind, _ delta: Int) -> Movement {
        Movement(
            id: MovementID(), batch: batch.id, medicine: batch.medicine, kind: kind, delta: delta, onHand: 0,
            reason: nil, dispensing: nil, actor: AccountID(), at: Timestamp(microseconds: 0), localDate: day(0))
    }
}
