import Loop
import Testing

@testable import Postgres

@Suite struct TurnTimesTests {
    @Test func `What the next has to expect is how far apart the last turns were, also when they come in bunches`() {
        var turns = TurnTimes()
        #expect(turns.wait(behind: 100) == .zero)
        for turn in 0..<320 { turns.came(after: .milliseconds(turn % 16 == 0 ? 80 : 0)) }
        #expect(turns.wait(behind: 100) > .milliseconds(400) && turns.wait(behind: 100) < .milliseconds(600))
        #expect(turns.wait(behind: 0) == .zero)
    }

    @Test func `Two hundred who come in a pause of 0.3 s are all let in`() {
        var turns = TurnTimes()
        var expected: [Duration] = []
        for turn in 0..<184 {
            turns.came(after: .milliseconds(turn == 0 ? 300 : turn % 16 == 0 ? 8 : 0))
            expected.append(turns.wait(behind: 200 - turn))
        }
        #expect(expected.max()! < .seconds(1))
    }

    @Test func `A database that has become slow turns people away within two hundred turns, and is forgiven as soon`() {
        var turns = TurnTimes()
        for _ in 0..<200 { turns.came(after: .milliseconds(1)) }
        for _ in 0..<200 { turns.came(after: .milliseconds(10)) }
        #expect(turns.wait(behind: 200) > .milliseconds(1_500))
        for _ in 0..<200 { turns.came(after: .milliseconds(1)) }
        #expect(turns.wait(behind: 200) < .milliseconds(600))
    }
}
