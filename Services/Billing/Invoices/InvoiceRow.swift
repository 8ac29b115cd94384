import Postgres
import Primitives

/// How an invoice is read back from its row: the lines and prescriptions come separately.
extension Invoice {
    init(row: inout Row) throws {
        id = try row.next()
        number = try row.next()
        visit = try row.next()
        patient = try row.next()
        location = try row.next()
        mode = try row.next()
        createdBy = try row.next()
        createdAt = try row.next()
        prescriptions = []
        status = try row.next()
        let points: Int? = try row.next()
        let amount: Int64? = try row.next()
        let currency: Currency = try row.next()
        agreedDiscount = Discount(points: points, amount: amount, currency)
        totals = InvoiceTotals(
            currency: currency, lines: [], subtotal: try row.next(), discount: try row.next(), tax: try row.next())
        received = try row.next()
        refunded = try row.next()
        localDate = try row.next()
        issuedAt = try row.next()
        cancelledReason = try row.next()
        version = try row.next()
    }
}

extension InvoiceTotals {
    /// What was calculated and checked when it was written.
    init(currency: Currency, lines: [Line], subtotal: Int64, discount: Int64, tax: Int64) {
        self.currency = currency
        self.lines = lines
        self.subtotal = subtotal
        self.discount = discount
        self.tax = tax
    }

    init(stored: InvoiceTotals, lines: [Line]) {
        self.init(
            currency: stored.currency, lines: lines, subtotal: stored.subtotal, discount: stored.discount,
            tax: stored.tax)
    }
}

extension InvoiceTotals.Line {
    init(_ description: String, row: inout Row, _ currency: Currency) throws {
        let medicine: MedicineID? = try row.next()
        let item: PrescriptionItemID? = try row.next()
        let quantity: Int64 = try row.next()
        let price: Int64 = try row.next()
        let points: Int = try row.next()
        charge = Charge(
            description, quantity: quantity, unitPrice: Money(price, currency),
            tax: Percent(basisPoints: points) ?? .zero, medicine: medicine, prescriptionItem: item)
        subtotal = try row.next()
        discount = try row.next()
        tax = try row.next()
    }
}

extension Discount {
    init(points: Int?, amount: Int64?, _ currency: Currency) {
        if let points, let percent = Percent(basisPoints: points) {
            self = .percent(percent)
        } else if let amount {
            self = .amount(Money(amount, currency))
        } else {
            self = .none
        }
    }

    var columns: (percent: Int?, amount: Int64?) {
        switch self {
        case .none: (nil, nil)
        case .percent(let percent): (percent.basisPoints, nil)
        case .amount(let money): (nil, money.amount)
        }
    }
}
