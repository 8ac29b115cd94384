/// An amount in minor units (paise, cents) of one ISO 4217 currency. There is no floating point in it.
package struct Money: Hashable, Sendable {
    /// The bound that SQL checks too: nothing in a clinic costs more, and sums of many stay far from overflow.
    package static let limit: Int64 = 1_000_000_000_000

    package let amount: Int64
    package let currency: Currency

    package init(_ amount: Int64, _ currency: Currency) {
        self.amount = amount
        self.currency = currency
    }

    package func plus(_ other: Money) throws(MoneyError) -> Money {
        guard currency == other.currency else { throw .currencyMismatch }
        let (sum, overflow) = amount.addingReportingOverflow(other.amount)
        guard !overflow, sum.magnitude <= Money.limit.magnitude else { throw .outOfRange }
        return Money(sum, currency)
    }

    package func minus(_ other: Money) throws(MoneyError) -> Money {
        let (negated, overflow) = Int64(0).subtractingReportingOverflow(other.amount)
        guard !overflow else { throw .outOfRange }
        return try plus(Money(negated, other.currency))
    }

    package func times(_ count: Int64) throws(MoneyError) -> Money {
        let (product, overflow) = amount.multipliedReportingOverflow(by: count)
        guard !overflow, product.magnitude <= Money.limit.magnitude else { throw .outOfRange }
        return Money(product, currency)
    }

    /// `basisPoints` hundredths of a percent of this amount, halves away from zero (the rounding of a
    /// till receipt): 18 % is 1800.
    package func part(basisPoints: Int64) throws(MoneyError) -> Money {
        let (product, overflow) = amount.multipliedReportingOverflow(by: basisPoints)
        guard !overflow else { throw .outOfRange }
        let (rounded, beyond) = product.addingReportingOverflow(product < 0 ? -5_000 : 5_000)
        guard !beyond else { throw .outOfRange }
        return Money(rounded / 10_000, currency)
    }
}

package enum MoneyError: Error, Equatable { case currencyMismatch, outOfRange }

/// An ISO 4217 code: three capital letters.
package struct Currency: Hashable, Sendable, LosslessStringConvertible {
    package let code: String
    package init?(_ text: String) {
        guard text.utf8.count == 3, text.utf8.allSatisfy({ (0x41...0x5a).contains($0) }) else { return nil }
        code = text
    }
    package var description: String { code }
    package static let inr = Currency(unchecked: "INR")
    private init(unchecked code: String) { self.code = code }
}
