import Loop
import Testing

@testable import Postgres

@Suite struct TurnTimesTests {
    @Test func `What the next has to expect is what those before had to wait`() {
        var turns = TurnTimes()
        #expect(turns.wait(behind: 100) == .zero)
        for ahead in 0..<100 { turns.took(.milliseconds(5) * (ahead + 1), behind: ahead) }
        #expect(turns.wait(behind: 100) > .milliseconds(450) && turns.wait(behind: 100) <= .milliseconds(500))
        #expect(turns.wait(behind: 0) == .zero)
    }

    @Test func `One long pause turns nobody away, a database that has become slow soon does, and is forgiven soon`() {
        var turns = TurnTimes()
        for _ in 0..<100 { turns.took(.milliseconds(1), behind: 0) }
        turns.took(.seconds(2), behind: 0)
        #expect(turns.wait(behind: 100) < .milliseconds(200))
        for _ in 0..<50 { turns.took(.milliseconds(100), behind: 0) }
        #expect(turns.wait(behind: 10) > .milliseconds(900))
        for _ in 0..<50 { turns.took(.milliseconds(1), behind: 0) }
        #expect(turns.wait(behind: 100) < .milliseconds(300))
    }
}
