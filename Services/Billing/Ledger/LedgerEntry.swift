import Postgres
import Primitives

/// One fact about money as double entry: debits are positive, credits negative, and they cancel out.
struct LedgerEntry: Equatable, Sendable {
    enum Kind: String, Sendable, SQLBindable {
        case issue = "ISSUE"
        case payment = "PAYMENT"
        case refund = "REFUND"
        case cancellation = "CANCELLATION"
    }

    enum Account: String, Sendable, SQLBindable {
        /// What patients owe us.
        case receivable
        case revenue
        /// What we owe the state.
        case tax
        case cash, card, upi

        init(_ method: Payment.Method) {
            switch method {
            case .cash: self = .cash
            case .card: self = .card
            case .upi: self = .upi
            }
        }
    }

    struct Line: Equatable, Sendable {
        let account: Account
        let amount: Int64
    }

    let kind: Kind
    let lines: [Line]

    private init(_ kind: Kind, _ lines: [(Account, Int64)]) {
        self.kind = kind
        self.lines = lines.filter { $0.1 != 0 }.map { Line(account: $0.0, amount: $0.1) }
    }

    /// Nothing moves when nothing is owed.
    var isEmpty: Bool { lines.isEmpty }

    /// The patient owes it, we earned it, and the state gets the tax.
    static func issued(_ totals: InvoiceTotals) -> LedgerEntry {
        LedgerEntry(
            .issue, [(.receivable, totals.total), (.revenue, totals.tax - totals.total), (.tax, -totals.tax)])
    }

    static func paid(_ amount: Int64, by method: Payment.Method) -> LedgerEntry {
        LedgerEntry(.payment, [(Account(method), amount), (.receivable, -amount)])
    }

    /// A credit note and its money in one: what the patient owes stays as it is.
    static func refunded(_ amount: Int64, tax: Int64, by method: Payment.Method) -> LedgerEntry {
        LedgerEntry(.refund, [(.revenue, amount - tax), (.tax, tax), (Account(method), -amount)])
    }

    /// Undoes what is left of the issue.
    static func cancelled(_ invoice: Invoice) -> LedgerEntry {
        let owed = invoice.totals.total - invoice.received
        let tax = invoice.totals.tax - invoice.creditedTax
        return LedgerEntry(.cancellation, [(.receivable, -owed), (.revenue, owed - tax), (.tax, tax)])
    }
}
