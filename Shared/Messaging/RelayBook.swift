import AMQP

/// What the relay decides: when to look again, which kinds to leave alone for a while, and what a batch came to.
///
/// Pure, so that `Tests/Simulation` can try it under any schedule. Time comes in as an argument.
package struct RelayBook: Sendable {
    package static let batch = 256
    /// How long a kind of fact that a full queue refused is left alone: meanwhile the others go on.
    package static let patience = Duration.seconds(5)

    package struct Result: Sendable, Equatable {
        /// Places in the batch of what the broker has for sure. Only these may be marked as published.
        package let confirmed: [Int]
        /// Places of what no queue took.
        package let refused: [Int]
        /// There may be more that can go at once.
        package let goesOn: Bool
    }

    /// After a wake-up the commit may be a moment away: looks come quickly first, then ever slower.
    private var eagerness = 0
    private var refused: [String: ContinuousClock.Instant] = [:]

    package init() {}

    package mutating func wake() { eagerness = 4 }

    /// 2, 8, 32, 128 ms after a wake-up, then the poll.
    package mutating func pause(upTo poll: Duration) -> Duration {
        guard eagerness > 0 else { return poll }
        eagerness -= 1
        return min(.milliseconds(2 << (2 * (3 - eagerness))), poll)
    }

    /// The kinds not to ask for now.
    package mutating func heldBack(at now: ContinuousClock.Instant) -> [String] {
        refused = refused.filter { $0.value > now }
        return refused.keys.sorted()
    }

    /// What became of a batch, whose facts were of these kinds.
    package mutating func settle(
        _ kinds: [String], _ outcomes: [Outcome], at now: ContinuousClock.Instant
    ) -> Result {
        let confirmed = outcomes.indices.filter { outcomes[$0] == .confirmed }
        let turnedAway = outcomes.indices.filter { outcomes[$0] == .nacked || outcomes[$0] == .returned }
        for index in turnedAway { refused[kinds[index]] = now + Self.patience }
        return Result(
            confirmed: confirmed, refused: turnedAway,
            goesOn: kinds.count == Self.batch && confirmed.count == kinds.count)
    }
}
