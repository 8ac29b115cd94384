import JSON
import Postgres
import Primitives

/// Money that changed hands, in either direction: written once.
struct Payment: Equatable, Sendable {
    enum Method: String, Sendable, SQLBindable, SQLReadable, JSONReadable, JSONWritable {
        case cash = "CASH"
        case card = "CARD"
        case upi = "UPI"
    }

    enum Kind: String, Sendable, SQLBindable, SQLReadable, JSONReadable, JSONWritable {
        case payment = "PAYMENT"
        case refund = "REFUND"
    }

    let id: PaymentID
    let invoice: InvoiceID
    let kind: Kind
    let method: Method
    let amount: Money
    let creditNote: ID<CreditNote>?
    let actor: AccountID
    let at: Timestamp
    let localDate: LocalDate
}

/// A correction of an issued invoice.
struct CreditNote: Equatable, Sendable {
    let id: ID<CreditNote>
    let number: String
    let invoice: InvoiceID
    let amount: Money
    /// The part of it that was tax.
    let tax: Int64
    let reason: String
    let createdBy: AccountID
    let at: Timestamp
    let localDate: LocalDate
}
