import Primitives
import Testing

@testable import Auth

struct LoginThrottleTests {
    private let start = Timestamp(microseconds: 1_795_190_400_000_000)
    private let throttle = LoginThrottle()

    /// The tally after `count` failures, each made as soon as it was allowed, and when the last one was.
    private func failing(_ count: Int) -> (tally: LoginThrottle.Tally?, at: Timestamp) {
        var tally: LoginThrottle.Tally?
        var now = start
        for _ in 0..<count {
            if let wait = throttle.wait(after: tally, at: now) { now = now.adding(seconds: wait) }
            tally = throttle.counting(tally, at: now)
        }
        return (tally, now)
    }

    @Test func `A few mistakes cost nothing`() {
        for count in 0...4 {
            let (tally, now) = failing(count)
            #expect(throttle.wait(after: tally, at: now) == nil)
        }
    }

    @Test func `Then every next one waits twice as long`() {
        let waits = (5...9).map { count in
            let (tally, now) = failing(count)
            return throttle.wait(after: tally, at: now) ?? 0
        }
        #expect(waits == [2, 3, 5, 9, 17])  // 1, 2, 4, 8, 16 and the second that rounding up costs
    }

    @Test func `Ten in a quarter of an hour are the end until it is over`() {
        let (tally, now) = failing(10)
        #expect(throttle.wait(after: tally, at: now.adding(seconds: 60)) ?? 0 > 700)
        #expect(throttle.wait(after: tally, at: start.adding(seconds: 899)) != nil)
        #expect(throttle.wait(after: tally, at: start.adding(seconds: 900)) == nil)
        #expect(throttle.counting(tally, at: start.adding(seconds: 900)).failures == 1)
    }

    @Test func `Whoever waits as told never waits in vain`() {
        for count in 5...9 {
            let (tally, now) = failing(count)
            let wait = throttle.wait(after: tally, at: now) ?? 0
            #expect(throttle.wait(after: tally, at: now.adding(seconds: wait)) == nil)
        }
    }

    @Test func `An address shared by many is stopped late and never slowed`() {
        let shared = LoginThrottle(limit: 100, slowsFrom: .max)
        let tally = LoginThrottle.Tally(failures: 99, firstAt: start, lastAt: start)
        #expect(shared.wait(after: tally, at: start) == nil)
        #expect(shared.wait(after: shared.counting(tally, at: start), at: start) != nil)
    }

    @Test func `Who is counted after somebody with a later clock is not made to wait for it`() {
        let shared = LoginThrottle(limit: 100, slowsFrom: .max)
        let later = Timestamp(microseconds: start.microseconds + 1)
        let tally = LoginThrottle.Tally(failures: 3, firstAt: start, lastAt: later)
        #expect(shared.wait(after: tally, at: start) == nil)
        #expect(throttle.wait(after: tally, at: start) == nil)
    }

    @Test func `A tally of success is no tally`() {
        #expect(throttle.wait(after: .init(failures: 0, firstAt: start, lastAt: start), at: start) == nil)
    }
}
