import Primitives

/// What an invoice line says before it is calculated.
struct Charge: Equatable, Sendable {
    let description: String
    let medicine: MedicineID?
    let prescriptionItem: PrescriptionItemID?
    let quantity: Int64
    let unitPrice: Money
    let tax: Percent

    init(
        _ description: String, quantity: Int64, unitPrice: Money, tax: Percent, medicine: MedicineID? = nil,
        prescriptionItem: PrescriptionItemID? = nil
    ) {
        self.description = description
        self.medicine = medicine
        self.prescriptionItem = prescriptionItem
        self.quantity = quantity
        self.unitPrice = unitPrice
        self.tax = tax
    }
}

/// What was agreed to be taken off.
enum Discount: Equatable, Sendable {
    case none
    case percent(Percent)
    case amount(Money)
}

/// The arithmetic of an invoice, exact to the minor unit.
///
/// The discount comes off first and is spread over the lines in proportion, the odd units going to the largest
/// remainders, so that the lines add up to it exactly. Tax is then charged on what is left of each line at its
/// own rate, halves away from zero, per line: the lines' taxes are the invoice's tax, with nothing rounded twice.
struct InvoiceTotals: Equatable, Sendable {
    struct Line: Equatable, Sendable {
        let charge: Charge
        let subtotal: Int64
        let discount: Int64
        let tax: Int64
        var total: Int64 { subtotal - discount + tax }
    }

    let currency: Currency
    let lines: [Line]
    let subtotal: Int64
    let discount: Int64
    let tax: Int64
    var total: Int64 { subtotal - discount + tax }

    init(_ charges: [Charge], less agreed: Discount, in currency: Currency) throws(InvoiceError) {
        guard !charges.isEmpty else { throw .nothingToBill }
        var sum = Money(0, currency)
        var gross: [Int64] = []
        for charge in charges {
            guard charge.unitPrice.currency == currency else { throw .currencyMismatch }
            guard let amount = try? charge.unitPrice.times(charge.quantity), let more = try? sum.plus(amount) else {
                throw .amountOutOfRange
            }
            sum = more
            gross.append(amount.amount)
        }

        let discount = try Self.discount(agreed, on: sum)
        let shares = Self.spread(discount, over: gross, of: sum.amount)
        var lines: [Line] = []
        var tax: Int64 = 0
        for (index, charge) in charges.enumerated() {
            let rate = Int64(charge.tax.basisPoints)
            guard let part = try? Money(gross[index] - shares[index], currency).part(basisPoints: rate) else {
                throw .amountOutOfRange
            }
            lines.append(Line(charge: charge, subtotal: gross[index], discount: shares[index], tax: part.amount))
            tax += part.amount
        }
        guard sum.amount - discount + tax <= Money.limit else { throw .amountOutOfRange }
        self.currency = currency
        self.lines = lines
        self.subtotal = sum.amount
        self.discount = discount
        self.tax = tax
    }

    private static func discount(_ agreed: Discount, on subtotal: Money) throws(InvoiceError) -> Int64 {
        switch agreed {
        case .none: return 0
        case .percent(let percent):
            guard let part = try? subtotal.part(basisPoints: Int64(percent.basisPoints)) else {
                throw .amountOutOfRange
            }
            return part.amount
        case .amount(let money):
            guard money.currency == subtotal.currency else { throw .currencyMismatch }
            guard money.amount <= subtotal.amount else { throw .discountExceedsSubtotal }
            return money.amount
        }
    }

    /// `whole` in parts proportional to `weights` (which add up to `sum`), by largest remainder; of equal
    /// remainders the earlier line's comes first. No part exceeds its weight as long as `whole` does not exceed `sum`.
    static func spread(_ whole: Int64, over weights: [Int64], of sum: Int64) -> [Int64] {
        guard whole > 0, sum > 0 else { return weights.map { _ in 0 } }
        let exact = weights.map { whole.part($0, of: sum) }
        var parts = exact.map(\.quotient)
        let left = whole - parts.reduce(0, +)
        let order = exact.indices.sorted {
            (exact[$1].remainder, $0) < (exact[$0].remainder, $1)
        }
        for index in order.prefix(Int(left)) { parts[index] += 1 }
        return parts
    }
}

extension Int64 {
    /// `self × share ÷ whole` through 128 bits, for non-negative numbers with `share <= whole`, `whole > 0`.
    func part(_ share: Int64, of whole: Int64) -> (quotient: Int64, remainder: Int64) {
        let product = magnitude.multipliedFullWidth(by: share.magnitude)
        // The quotient fits because `share <= whole`; a larger share would be a mistake of ours.
        precondition(product.high < whole.magnitude, "a part is larger than the whole allows")
        let (quotient, remainder) = whole.magnitude.dividingFullWidth(product)
        return (Int64(quotient), Int64(remainder))
    }

    /// The same rounded, halves up.
    func rounded(_ share: Int64, of whole: Int64) -> Int64 {
        let (quotient, remainder) = part(share, of: whole)
        return remainder >= whole - remainder ? quotient + 1 : quotient
    }
}
