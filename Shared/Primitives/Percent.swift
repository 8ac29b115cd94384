/// A rate from 0 to 100 %, exact to hundredths of a percent: tax and discount. 18.5 % is 1850 basis points.
package struct Percent: Hashable, Sendable {
    package let basisPoints: Int

    package static let zero = Percent(unchecked: 0)

    package init?(basisPoints: Int) {
        guard (0...10_000).contains(basisPoints) else { return nil }
        self.basisPoints = basisPoints
    }

    /// Nil outside 0 to 100 and for more than two decimals: what is charged must be what was written.
    package init?(_ number: Double) {
        guard number >= 0, number <= 100 else { return nil }
        let scaled = number * 100
        let whole = scaled.rounded()
        // 18.07 * 100 is 1806.9999999999998: a double's own error is far below this, a third decimal far above.
        guard abs(scaled - whole) < 1e-6, let points = Int(exactly: whole) else { return nil }
        basisPoints = points
    }

    /// The same as a JSON number; dividing by 100 gives the double nearest to the two-decimal number.
    package var number: Double { Double(basisPoints) / 100 }

    private init(unchecked points: Int) { basisPoints = points }
}
