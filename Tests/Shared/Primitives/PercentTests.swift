import Primitives
import Testing

@Suite struct PercentTests {
    @Test func `Every rate of two decimals survives the way through a double`() throws {
        for points in 0...10_000 {
            let percent = try #require(Percent(basisPoints: points))
            #expect(Percent(percent.number)?.basisPoints == points)
        }
    }

    @Test(arguments: [18.005, -0.01, 100.01, .nan, .infinity, 1e300])
    func `A third decimal and what is no percentage are refused`(number: Double) {
        #expect(Percent(number) == nil)
    }
}
