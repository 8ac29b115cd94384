import Primitives

/// Decides when somebody who mistyped a password may try again.
///
/// The key that failures are counted under is account and client address together, so a stranger's guesses never
/// lock the owner out from elsewhere; a second, wider tally per address bounds guessing over many accounts.
struct LoginThrottle: Sendable {
    /// Failures within the window after which nothing is tried any more.
    var limit = 10
    /// From this failure on every next one waits twice as long: 1, 2, 4 … seconds.
    var slowsFrom = 5
    /// How long failures count, in seconds.
    var window: Int64 = 900
    /// The longest of them.
    static let longestWindow: Int64 = 86_400

    /// However many addresses take part: a hundred wrong passwords in a row for one account, and then only browsers
    /// that we know, passkeys and a reset get in until a day has passed (NIST SP 800-63B 3.2.2).
    static let perAccount = LoginThrottle(limit: 100, slowsFrom: .max, window: longestWindow)

    struct Tally: Equatable, Sendable {
        let failures: Int
        let firstAt: Timestamp
        let lastAt: Timestamp
    }

    /// How many seconds to wait before the next attempt; nil when it may be made now.
    func wait(after tally: Tally?, at now: Timestamp) -> Int64? {
        guard let tally, tally.failures > 0, !isOver(tally, at: now) else { return nil }
        // Nothing to wait for, even when somebody who read the clock later was counted first.
        guard tally.failures >= min(slowsFrom, limit) else { return nil }
        let end = tally.failures >= limit
            ? tally.firstAt.adding(seconds: window) : tally.lastAt.adding(seconds: delay(after: tally.failures))
        guard now < end else { return nil }
        return max(1, end.seconds(since: now) + 1)
    }

    /// The tally with one more failure; a new window when the last one is over.
    func counting(_ tally: Tally?, at now: Timestamp) -> Tally {
        guard let tally, !isOver(tally, at: now) else { return Tally(failures: 1, firstAt: now, lastAt: now) }
        return Tally(failures: min(tally.failures + 1, 1_000_000), firstAt: tally.firstAt, lastAt: now)
    }

    private func isOver(_ tally: Tally, at now: Timestamp) -> Bool {
        now >= tally.firstAt.adding(seconds: window)
    }

    private func delay(after failures: Int) -> Int64 {
        failures < slowsFrom ? 0 : 1 << Int64(min(failures - slowsFrom, 8))
    }
}
