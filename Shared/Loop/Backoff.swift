/// How long to wait before trying again: a ceiling that doubles, and any time below it.
///
/// Full jitter, so that a server that comes back is not met by all of its clients at once.
package struct Backoff {
    private let least: Duration
    private let most: Duration
    private var ceiling: Duration

    package init(from least: Duration = .milliseconds(50), to most: Duration = .seconds(5)) {
        self.least = least
        self.most = most
        ceiling = least
    }

    package mutating func next() -> Duration {
        let now = ceiling
        ceiling = min(ceiling * 2, most)
        return .nanoseconds(Int64.random(in: 0...Int64(now.nanoseconds))) + .milliseconds(5)
    }

    package mutating func reset() { ceiling = least }
}
