import Primitives
import Testing

@testable import Billing

@Suite struct InvoiceTests {
    let now = Timestamp(microseconds: 0)
    let today = LocalDate(daysSinceEpoch: 20_000)

    @Test func `A draft is edited, an issued invoice is not`() throws {
        var invoice = try Invoice.sample([charge(1, 1_000, 0)])
        try invoice.edit([charge(2, 1_000, 0)], less: .none)
        #expect(invoice.totals.total == 2_000)
        _ = try invoice.issue(at: now, on: today)
        #expect(throws: InvoiceError.issued) { try invoice.edit([charge(1, 1, 0)], less: .none) }
        #expect(throws: InvoiceError.issued) { try invoice.issue(at: now, on: today) }
    }

    @Test func `Nothing may be paid beyond what is due, and nothing after it is paid`() throws {
        var invoice = try issued(1_000)
        #expect(throws: InvoiceError.exceedsDue) { try invoice.pay(Money(1_001, .inr)) }
        #expect(try invoice.pay(Money(400, .inr)) == 400)
        #expect(invoice.status == .issued)
        #expect(throws: InvoiceError.exceedsDue) { try invoice.pay(Money(601, .inr)) }
        #expect(try invoice.pay(nil) == 600)
        #expect(invoice.status == .paid)
        #expect(invoice.settled(on: today) != nil)
        #expect(throws: InvoiceError.paid) { try invoice.pay(nil) }
    }

    @Test func `Money of another currency is refused`() throws {
        var invoice = try issued(1_000)
        let dollar = try #require(Currency("USD"))
        #expect(throws: InvoiceError.currencyMismatch) { try invoice.pay(Money(1, dollar)) }
    }

    @Test func `An invoice over nothing is paid when it is issued`() throws {
        var invoice = try Invoice.sample([charge(1, 0, 18_00)])
        _ = try invoice.issue(at: now, on: today)
        #expect(invoice.status == .paid)
        #expect(LedgerEntry.issued(invoice.totals).isEmpty)
    }

    @Test func `No more goes back than came in, and what went back is not due again`() throws {
        var invoice = try issued(1_000)
        _ = try invoice.pay(nil)
        _ = try invoice.refund(300)
        #expect(throws: InvoiceError.exceedsPaid) { try invoice.refund(701) }
        _ = try invoice.refund(700)
        #expect(invoice.due == 0)
        #expect(invoice.kept == 0)
        #expect(throws: InvoiceError.exceedsPaid) { try invoice.refund(1) }
    }

    @Test func `An invoice that holds somebody's money is not cancelled`() throws {
        var invoice = try issued(1_000)
        _ = try invoice.pay(Money(1, .inr))
        #expect(throws: InvoiceError.hasPayments) { try invoice.cancel(nil) }
        _ = try invoice.refund(1)
        try invoice.cancel("wrong patient")
        #expect(invoice.due == 0)
        #expect(throws: InvoiceError.cancelled) { try invoice.pay(nil) }
    }

    @Test func `Whatever happens, the ledger balances and agrees with the invoice`() throws {
        var random = SplitMix(seed: 11)
        for _ in 0..<2_000 {
            var invoice = try Invoice.sample([
                charge(.random(in: 1...9, using: &random), .random(in: 1...9_999, using: &random), 18_00),
                charge(1, .random(in: 0...99_999, using: &random), 5_00),
            ])
            _ = try invoice.issue(at: now, on: today)
            var ledger = [LedgerEntry.issued(invoice.totals)]
            for _ in 0..<Int.random(in: 0...8, using: &random) {
                let amount = Int64.random(in: 1...max(1, invoice.totals.total), using: &random)
                if Bool.random(using: &random) {
                    guard let paid = try? invoice.pay(Money(amount, .inr)) else { continue }
                    ledger.append(.paid(paid, by: .card))
                } else {
                    guard let tax = try? invoice.refund(amount) else { continue }
                    ledger.append(.refunded(amount, tax: tax, by: .cash))
                }
                #expect(invoice.totals.total == invoice.kept + invoice.refunded + invoice.due)
            }
            check(ledger, invoice)
            let reversal = LedgerEntry.cancelled(invoice)
            guard (try? invoice.cancel(nil)) != nil else { continue }
            check(ledger + [reversal], invoice)
            #expect(sum(ledger + [reversal], .revenue) == 0)
            #expect(sum(ledger + [reversal], .tax) == 0)
        }
    }

    private func check(_ ledger: [LedgerEntry], _ invoice: Invoice) {
        for entry in ledger { #expect(entry.lines.reduce(0) { $0 + $1.amount } == 0) }
        #expect(sum(ledger, .receivable) == invoice.due)
        #expect(sum(ledger, .card) + sum(ledger, .cash) == invoice.kept)
    }

    private func sum(_ ledger: [LedgerEntry], _ account: LedgerEntry.Account) -> Int64 {
        ledger.flatMap(\.lines).reduce(0) { $1.account == account ? $0 + $1.amount : $0 }
    }

    private func issued(_ total: Int64) throws -> Invoice {
        var invoice = try Invoice.sample([charge(1, total, 0)])
        _ = try invoice.issue(at: now, on: today)
        return invoice
    }
}

@Suite struct SettlementTests {
    private let prescription = PrescriptionID()

    @Test func `Without an invoice it is not paid`() {
        #expect(Settlement(of: prescription, by: []).status == "none")
        #expect(!Settlement(of: prescription, by: []).paid)
    }

    @Test func `One open invoice is enough to hold it back`() throws {
        let open = try Invoice.sample([charge(1, 1_000, 0)])
        var paid = open
        _ = try paid.issue(at: Timestamp(microseconds: 0), on: LocalDate(daysSinceEpoch: 20_000))
        _ = try paid.pay(nil)
        #expect(Settlement(of: prescription, by: [paid]).paid)
        #expect(Settlement(of: prescription, by: [paid, open]).status == "DRAFT")
        _ = try paid.refund(1_000)
        #expect(Settlement(of: prescription, by: [paid]).status == "REFUNDED")
    }
}

extension Invoice {
    static func sample(_ charges: [Charge]) throws -> Invoice {
        Invoice(
            id: InvoiceID(), number: "INV-2026-000001", visit: VisitID(), patient: PatientID(),
            location: LocationID(), mode: .manual, createdBy: AccountID(), createdAt: Timestamp(microseconds: 0),
            prescriptions: [], agreedDiscount: .none, totals: try InvoiceTotals(charges, less: .none, in: .inr),
            localDate: LocalDate(daysSinceEpoch: 20_000))
    }
}
