import Contracts
import Primitives

@testable import Billing
@testable import Clinical

extension Hospital.Person {
    private static let price = Money(100, .inr)

    /// Billing's own answer about the prescription.
    var settlement: Settlement {
        let invoices = billing.invoices.filter { $0.status != .cancelled && !$0.prescriptions.isEmpty }
        let id = clinical.prescription?.id ?? PrescriptionID(high: 0, low: 0)
        return Settlement(of: id, by: invoices.reversed())
    }

    mutating func charge(_ command: Command, _ fault: Hospital.Fault?) throws -> [Fact] {
        if case .bill = command { return try bill() }
        guard var invoice = billing.invoices.last else { throw NotNow() }
        var facts: [Fact] = []
        switch command {
        case .issue: facts = try issue(&invoice)
        case .pay(let amount):
            if invoice.status == .draft { facts = try issue(&invoice) }
            let paid = try invoice.pay(amount.map { Money($0, .inr) })
            post(.paid(paid, by: .cash), fault)
            billing.taken += paid
            facts += settled(invoice)
        case .refund:
            let amount = invoice.kept
            let tax = try invoice.refund(amount)
            post(.refunded(amount, tax: tax, by: .cash), fault)
            billing.taken -= amount
            billing.refunds += 1
            facts = [.invoiceRefunded]
        case .cancelInvoice:
            let wasOwed = invoice.status == .issued
            let reversal = LedgerEntry.cancelled(invoice)
            try invoice.cancel(nil)
            if wasOwed { post(reversal, fault) }
        default: throw NotNow()
        }
        billing.invoices[billing.invoices.count - 1] = invoice
        return facts
    }

    /// One that is alive for a visit; what was prescribed is on it.
    private mutating func bill() throws -> [Fact] {
        guard let visit = clinical.visit, let prescription = clinical.prescription else { throw InvoiceError.visitUnknown }
        guard billing.invoices.allSatisfy({ $0.status == .cancelled }) else { throw InvoiceError.exists }
        let charges = prescription.items.map {
            Charge(
                $0.medicine.name, quantity: Int64($0.quantity), unitPrice: Self.price,
                tax: Percent(basisPoints: 1200) ?? .zero, medicine: $0.medicine.id, prescriptionItem: $0.id)
        }
        billing.invoices.append(
            Invoice(
                id: InvoiceID(high: 18, low: UInt64(billing.invoices.count)), number: "INV-1", visit: visit.id,
                patient: visit.patient, location: Hospital.location, mode: .auto, createdBy: Hospital.doctor,
                createdAt: Hospital.now, prescriptions: [prescription.id], agreedDiscount: .none,
                totals: try InvoiceTotals(charges, less: .none, in: .inr), localDate: Hospital.today))
        return []
    }

    private mutating func issue(_ invoice: inout Invoice) throws -> [Fact] {
        _ = try invoice.issue(at: Hospital.now, on: Hospital.today)
        post(.issued(invoice.totals), nil)
        return settled(invoice)
    }

    private mutating func settled(_ invoice: Invoice) -> [Fact] {
        guard let fact = invoice.settled(on: Hospital.today) else { return [] }
        billing.wasPaid = true
        return [.invoicePaid(fact)]
    }

    private mutating func post(_ entry: LedgerEntry, _ fault: Hospital.Fault?) {
        if fault == .skipsTheLedger, entry.kind == .refund { return }
        billing.ledger.append(entry)
    }

    func checkMoney() throws(Broken) {
        for entry in billing.ledger {
            try must(entry.lines.reduce(0) { $0 + $1.amount } == 0, "an entry does not balance")
        }
        func balance(_ account: LedgerEntry.Account) -> Int64 {
            billing.ledger.flatMap(\.lines).filter { $0.account == account }.reduce(0) { $0 + $1.amount }
        }
        let due = billing.invoices.reduce(Int64(0)) { $0 + ($1.status == .draft ? 0 : $1.due) }
        try must(balance(.receivable) == due, "the ledger says \(balance(.receivable)) is owed, the invoices \(due)")
        let kept = billing.invoices.reduce(Int64(0)) { $0 + $1.kept }
        try must(balance(.cash) == kept && billing.taken == kept, "the drawer holds \(balance(.cash)), the invoices say \(kept)")
        for invoice in billing.invoices {
            try must(invoice.received <= invoice.totals.total && invoice.kept >= 0, "an invoice holds more than its total")
            try must(invoice.status != .paid || invoice.due == 0, "a paid invoice is owed")
        }
    }
}
