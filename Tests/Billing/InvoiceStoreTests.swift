import Access
import Bootstrap
import Cryptography
import Loop
import Postgres
import Primitives
import TestSupport
import Testing

@testable import Billing

private let ring = KeyChain(SymmetricKey(), former: [])

@Suite struct InvoiceStoreTests {
    private static let today = LocalDate(daysSinceEpoch: 20_000)
    private static let now = Timestamp(microseconds: 0)

    @Test func `An invoice comes back as it was written`() async throws {
        try await onLoop {
            try await TestDatabase.with(BillingService.migrations) { test in
                let written = try await test.invoice([charge(3, 333, 18_00), charge(1, 50_000, 0)])
                let read = try await InvoiceStore(sql: test.db.reader(for: test.tenant), scope: .system(test.tenant), ring: ring).find(written.id)
                #expect(read == written)
            }
        }
    }

    @Test func `Numbers have no gaps, whoever fails in between`() async throws {
        struct Nothing: Error {}
        try await onLoop {
            try await TestDatabase.with(BillingService.migrations) { test in
                let tries = (0..<20).map { turn in
                    EventLoop.spawn {
                        try await test.db.transaction(for: test.tenant) { tx in
                            let number = try await InvoiceStore(sql: tx, scope: .system(test.tenant), ring: ring).nextNumber("INV", year: 2026)
                            if turn % 4 == 0 { throw Nothing() }
                            return number
                        }
                    }
                }
                var numbers: Set<String> = []
                for attempt in tries {
                    do { numbers.insert(try await attempt.value) } catch is Nothing {}
                }
                #expect(numbers == Set((1...15).map { "INV-2026-0000\($0 < 10 ? "0" : "")\($0)" }))
            }
        }
    }

    @Test func `A visit has one AUTO invoice until that is cancelled`() async throws {
        try await onLoop {
            try await TestDatabase.with(BillingService.migrations) { test in
                var first = try await test.invoice([charge(1, 100, 0)], mode: .auto)
                await #expect(throws: InvoiceError.exists) {
                    try await test.invoice([charge(1, 100, 0)], mode: .auto, visit: first.visit)
                }
                _ = try await test.invoice([charge(1, 100, 0)], mode: .manual, visit: first.visit)
                try first.cancel(nil)
                let cancelled = first
                try await test.db.transaction(for: test.tenant) { try await InvoiceStore(sql: $0, scope: .system(test.tenant), ring: ring).update(cancelled) }
                _ = try await test.invoice([charge(1, 100, 0)], mode: .auto, visit: first.visit)
            }
        }
    }

    @Test func `Of twenty payments at once one is taken`() async throws {
        try await onLoop {
            try await TestDatabase.with(BillingService.migrations) { test in
                let invoice = try await test.issued([charge(1, 100_000, 18_00)])
                let tries = (0..<20).map { _ in
                    EventLoop.spawn { try await test.pay(invoice.id, nil) }
                }
                var taken = 0
                for attempt in tries {
                    do {
                        try await attempt.value
                        taken += 1
                    } catch InvoiceError.paid {}
                }
                #expect(taken == 1)
                let reader = test.db.reader(for: test.tenant)
                #expect(try await PaymentStore(sql: reader).payments(of: invoice.id).map(\.amount.amount) == [118_000])
                #expect(try await InvoiceStore(sql: reader, scope: .system(test.tenant), ring: ring).find(invoice.id)?.status == .paid)
            }
        }
    }

    @Test func `The ledger's receivable is what is due`() async throws {
        try await onLoop {
            try await TestDatabase.with(BillingService.migrations) { test in
                let invoice = try await test.issued([charge(1, 100_000, 18_00)])
                try await test.pay(invoice.id, Money(18_000, .inr))
                let sums = try await test.db.reader(for: test.tenant).all(
                    "select account, sum(amount)::bigint from ledger_line group by account order by account",
                    as: { row in "\(try row.next(as: String.self)) \(try row.next(as: Int64.self))" })
                #expect(sums == ["cash 18000", "receivable 100000", "revenue -100000", "tax -18000"])
            }
        }
    }

    @Test func `An entry that does not balance does not commit`() async throws {
        try await onLoop {
            try await TestDatabase.with(BillingService.migrations) { test in
                let invoice = try await test.issued([charge(1, 100, 0)])
                for second in [99, nil] as [Int64?] {
                    let error = await #expect(throws: PostgresError.self) {
                        try await test.db.transaction(for: test.tenant) { tx in
                            let id = ID<LedgerEntry>()
                            try await tx.run(
                                "insert into ledger_entry values (\(id), \(test.tenant), \(invoice.id), 'PAYMENT', now(), now())")
                            try await tx.run("insert into ledger_line values (\(id), 0, \(test.tenant), 'cash', 100, 'INR')")
                            guard let second else { return }
                            try await tx.run(
                                "insert into ledger_line values (\(id), 1, \(test.tenant), 'receivable', \(-second), 'INR')")
                        }
                    }
                    #expect(error?.constraint == "ledger_entry_balances")
                }
            }
        }
    }

    @Test func `Nothing of an issued invoice is edited, whatever the code tries`() async throws {
        try await onLoop {
            try await TestDatabase.with(BillingService.migrations) { test in
                let invoice = try await test.issued([charge(1, 100, 0)])
                for statement: SQL in [
                    "update invoice set total = 1, subtotal = 1", "update invoice set local_date = '2020-01-01'",
                    "delete from invoice_line",
                    "insert into invoice_line select invoice_id, 7, tenant_id, 'x', null, null, 1, 0, 0, 0, 0, 0, 0 from invoice_line",
                ] {
                    let error = await #expect(throws: PostgresError.self) {
                        try await test.db.transaction(for: test.tenant) { _ = try await $0.run(statement) }
                    }
                    #expect(error?.constraint == "invoice_frozen")
                }
                for statement: SQL in [
                    "update payment set amount = 1", "delete from payment", "update ledger_line set amount = 1",
                    "delete from ledger_entry", "delete from credit_note", "delete from invoice",
                ] {
                    await #expect(throws: PostgresError.self) {
                        try await test.db.transaction(for: test.tenant) { _ = try await $0.run(statement) }
                    }
                }
                #expect(try await InvoiceStore(sql: test.db.reader(for: TenantID()), scope: .system(test.tenant), ring: ring).find(invoice.id) == nil)
            }
        }
    }

    @Test func `An older price that comes late changes nothing`() async throws {
        try await onLoop {
            try await TestDatabase.with(BillingService.migrations) { test in
                let id = MedicineID()
                func card(_ price: Int64) -> MedicineCard {
                    MedicineCard(id: id, name: "A", strength: nil, unitPrice: Money(price, .inr), tax: .zero)
                }
                for (price, revision) in [(100, 0), (300, 3), (200, 2)] as [(Int64, Int)] {
                    try await test.db.transaction(for: test.tenant) {
                        try await CardStore(sql: $0).keep(card(price), revision: revision)
                    }
                }
                let kept = try await CardStore(sql: test.db.reader(for: test.tenant)).medicines([id])
                #expect(kept.map(\.unitPrice.amount) == [300])
            }
        }
    }
}

extension TestDatabase {
    @discardableResult func invoice(
        _ charges: [Charge], mode: Invoice.Mode = .manual, visit: VisitID = VisitID()
    ) async throws -> Invoice {
        let totals = try InvoiceTotals(charges, less: .none, in: .inr)
        return try await db.transaction(for: tenant) { tx in
            let store = InvoiceStore(sql: tx, scope: .system(tenant), ring: ring)
            let invoice = Invoice(
                id: InvoiceID(), number: try await store.nextNumber("INV", year: 2026), visit: visit,
                patient: PatientID(), location: LocationID(), mode: mode, createdBy: AccountID(),
                createdAt: Timestamp(microseconds: 0), prescriptions: [PrescriptionID()], agreedDiscount: .none,
                totals: totals, localDate: LocalDate(daysSinceEpoch: 20_000))
            try await store.insert(invoice)
            return invoice
        }
    }

    func issued(_ charges: [Charge]) async throws -> Invoice {
        var invoice = try await invoice(charges)
        let (now, today) = (Timestamp(microseconds: 0), LocalDate(daysSinceEpoch: 20_000))
        _ = try invoice.issue(at: now, on: today)
        let written = invoice
        try await db.transaction(for: tenant) { tx in
            try await InvoiceStore(sql: tx, scope: .system(tenant), ring: ring).update(written)
            try await LedgerStore(sql: tx).post(.issued(written.totals), for: written, at: now, on: today)
        }
        return invoice
    }

    func pay(_ id: InvoiceID, _ asked: Money?) async throws {
        let (now, today) = (Timestamp(microseconds: 0), LocalDate(daysSinceEpoch: 20_000))
        try await db.transaction(for: tenant) { tx in
            let store = InvoiceStore(sql: tx, scope: .system(tenant), ring: ring)
            guard var invoice = try await store.findForUpdate(id) else { return }
            let amount = try invoice.pay(asked)
            try await store.update(invoice)
            try await PaymentStore(sql: tx).insert(
                Payment(
                    id: PaymentID(), invoice: id, kind: .payment, method: .cash, amount: invoice.money(amount),
                    creditNote: nil, actor: AccountID(), at: now, localDate: today))
            try await LedgerStore(sql: tx).post(.paid(amount, by: .cash), for: invoice, at: now, on: today)
        }
    }
}
