import Contracts
import JSON
import Postgres
import Primitives

/// What one visit costs and how much of it is still owed.
///
/// Every rule about an invoice is in this file. A draft may be edited; once issued it is a document, and only
/// payments, credit notes or a cancellation change what is owed.
struct Invoice: Equatable, Sendable {
    enum Status: String, Sendable, SQLBindable, SQLReadable, JSONReadable, JSONWritable {
        case draft = "DRAFT"
        case issued = "ISSUED"
        case paid = "PAID"
        case cancelled = "CANCELLED"
    }

    enum Mode: String, Sendable, SQLBindable, SQLReadable, JSONReadable, JSONWritable {
        case auto = "AUTO"
        case manual = "MANUAL"
    }

    let id: InvoiceID
    let number: String
    let visit: VisitID
    let patient: PatientID
    let location: LocationID
    let mode: Mode
    let createdBy: AccountID
    let createdAt: Timestamp
    /// What it covers: these may be handed out once it is paid.
    var prescriptions: [PrescriptionID]

    var status = Status.draft
    var agreedDiscount: Discount
    var totals: InvoiceTotals
    /// Gross: what came in, whatever went back later.
    var received: Int64 = 0
    /// Credited and given back.
    var refunded: Int64 = 0
    var localDate: LocalDate
    var issuedAt: Timestamp?
    var cancelledReason: String?
    var version = 1

    /// What went back was credited too, so it is not due again.
    var due: Int64 { status == .cancelled ? 0 : totals.total - received }
    /// Received and kept.
    var kept: Int64 { received - refunded }
    /// What credit notes have taken off the tax so far.
    var creditedTax: Int64 { totals.total == 0 ? 0 : totals.tax.rounded(refunded, of: totals.total) }

    func money(_ amount: Int64) -> Money { Money(amount, totals.currency) }

    mutating func edit(_ charges: [Charge], less discount: Discount) throws(InvoiceError) {
        guard status == .draft else { throw refusal }
        totals = try InvoiceTotals(charges, less: discount, in: totals.currency)
        agreedDiscount = discount
        version += 1
    }

    /// Makes it owed. Nothing owed is paid at once.
    mutating func issue(at now: Timestamp, on today: LocalDate) throws(InvoiceError) -> InvoiceIssued {
        guard status == .draft else { throw refusal }
        status = totals.total == 0 ? .paid : .issued
        issuedAt = now
        localDate = today
        version += 1
        return InvoiceIssued(
            invoiceID: id, visitID: visit, patientID: patient, number: number, prescriptionIDs: prescriptions,
            total: money(totals.total), localDate: today)
    }

    /// Takes money: all that is due when `amount` is nil. A draft must have been issued before.
    mutating func pay(_ amount: Money?) throws(InvoiceError) -> Int64 {
        guard status == .issued else { throw refusal }
        if let amount, amount.currency != totals.currency { throw .currencyMismatch }
        let paid = amount?.amount ?? due
        guard paid > 0 else { throw .amountOutOfRange }
        guard paid <= due else { throw .exceedsDue }
        received += paid
        if due == 0 { status = .paid }
        version += 1
        return paid
    }

    /// Gives money back under a credit note. The answer is the part of it that was tax.
    mutating func refund(_ amount: Int64) throws(InvoiceError) -> Int64 {
        guard status == .issued || status == .paid else { throw refusal }
        guard amount > 0, amount <= kept else { throw .exceedsPaid }
        let before = creditedTax
        refunded += amount
        version += 1
        return creditedTax - before
    }

    /// Takes it back while nobody's money is in it.
    mutating func cancel(_ reason: String?) throws(InvoiceError) {
        guard status == .draft || status == .issued else { throw refusal }
        guard kept == 0 else { throw .hasPayments }
        status = .cancelled
        cancelledReason = reason
        version += 1
    }

    /// The fact that nothing is due any more; nil while something is.
    func settled(on today: LocalDate) -> InvoicePaid? {
        guard status == .paid else { return nil }
        return InvoicePaid(
            invoiceID: id, visitID: visit, patientID: patient, prescriptionIDs: prescriptions,
            total: money(totals.total), localDate: today)
    }

    /// Why something that another status would allow is refused in this one.
    private var refusal: InvoiceError {
        switch status {
        case .draft: .draft
        case .issued: .issued
        case .paid: .paid
        case .cancelled: .cancelled
        }
    }
}

enum InvoiceError: Error, Equatable {
    case visitUnknown
    case medicineUnknown
    case nothingToBill
    case exists
    case currencyMismatch
    case discountExceedsSubtotal
    case amountOutOfRange
    case draft
    case issued
    case paid
    case cancelled
    case exceedsDue
    case exceedsPaid
    case hasPayments
    case approvalRequired
    /// Who took the payment wants to approve its way back.
    case ownPayment
}
