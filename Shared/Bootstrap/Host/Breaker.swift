/// Stops asking somebody who does not answer: after 5 failures in a row nobody asks for 2 seconds, then one does.
struct Breaker {
    private static let limit = 5
    private static let pause = 2_000_000_000

    private var failures = 0
    private var closedAgainAt = 0

    /// Whether to ask at `now` (the loop's nanoseconds). While open, the first to ask after the pause is the probe.
    mutating func allows(at now: Int) -> Bool {
        guard failures >= Self.limit else { return true }
        guard now >= closedAgainAt else { return false }
        closedAgainAt = now + Self.pause
        return true
    }

    mutating func succeeded() { failures = 0 }

    mutating func failed(at now: Int) {
        failures = min(failures + 1, Self.limit)
        if failures >= Self.limit { closedAgainAt = now + Self.pause }
    }
}
