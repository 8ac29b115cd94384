import Primitives
import Testing

@Suite struct MoneyTests {
    @Test func `Amounts at the ends of 64 bits are refused and never trap`() {
        for amount in [Int64.min, .min + 1, .max] {
            let money = Money(amount, .inr)
            #expect(throws: MoneyError.outOfRange) { try money.plus(Money(0, .inr)) }
            #expect(throws: MoneyError.outOfRange) { try Money(0, .inr).minus(money) }
            #expect(throws: MoneyError.outOfRange) { try money.times(1) }
            #expect(throws: MoneyError.outOfRange) { try money.part(basisPoints: 1) }
        }
    }

    @Test func `A part is rounded as on a receipt, halves away from zero`() throws {
        #expect(try Money(250, .inr).part(basisPoints: 100) == Money(3, .inr))
        #expect(try Money(-250, .inr).part(basisPoints: 100) == Money(-3, .inr))
    }
}
