import AMQP

/// What the relay decides: when to look again, which kinds to leave alone for a while, and what a batch came to.
///
/// Pure, so that `Tests/Simulation` can try it under any schedule. Time comes in as an argument.
package struct RelayBook: Sendable {
    /// What one look takes at most. Whoever waits for confirms meanwhile takes no more, so this is what a relay can keep up when other
    /// processes announce as much as the machine can do.
    package static let batch = 1024
    /// How long a kind of fact that a full queue refused is left alone: meanwhile the others go on.
    package static let patience = Duration.seconds(5)
    /// Audit facts: nobody waits for them, and they are half of all. So after some have left, the next rest and leave together:
    /// `docs/decisions/0006-events-in-batches.md` has what that saves.
    package static let unhurried = ["audit.access.recorded.v1", "audit.entry.recorded.v1"]
    package static let rest = Duration.milliseconds(100)
    /// How far behind the newest that left a look goes: in front of them lie the entries of all that left since the table was
    /// last vacuumed, tens of thousands, and every look would walk over them (0.4 ms instead of 0.01). A transaction that takes its
    /// numbers and commits when so many have left is found by the next look at everything, a second later.
    package static let reach: Int64 = 4096

    package struct Result: Sendable, Equatable {
        /// Places in the batch of what the broker has for sure. Only these may be marked as published.
        package let confirmed: [Int]
        /// Places of what no queue took.
        package let refused: [Int]
        /// There may be more that can go at once.
        package let goesOn: Bool
    }

    /// Where something left there is soon more, also from processes that wake nobody here: looks come quickly first, then ever slower.
    private var eagerness = 0
    private var refused: [String: ContinuousClock.Instant] = [:]
    private let unhurried: [String]
    private let reach: Int64
    private var newest: Int64 = 0
    private var looksAtAllFrom: ContinuousClock.Instant?
    /// Until when what is unhurried rests, and whether some of it may be there.
    private var restsUntil: ContinuousClock.Instant?
    private var mayRest = false

    package init(unhurried: [String] = Self.unhurried, reach: Int64 = Self.reach) {
        self.unhurried = unhurried
        self.reach = reach
    }

    /// This process committed something, or may have.
    package mutating func wake() { mayRest = true }

    /// 8, 32, 128 ms after something left, then the poll; and when the rest of the unhurried is over.
    package mutating func pause(upTo poll: Duration, at now: ContinuousClock.Instant) -> Duration {
        var pause = poll
        if eagerness > 0 {
            eagerness -= 1
            pause = min(.milliseconds(2 << (2 * (3 - eagerness))), poll)
        }
        guard mayRest, let restsUntil else { return pause }
        return min(pause, max(.zero, restsUntil - now))
    }

    /// The kinds not to ask for now. With `everything` only those that a full queue refused.
    package mutating func heldBack(at now: ContinuousClock.Instant, everything: Bool = false) -> [String] {
        refused = refused.filter { $0.value > now }
        if !everything, let restsUntil, restsUntil > now { return (refused.keys + unhurried).sorted() }
        restsUntil = nil
        mayRest = false
        return refused.keys.sorted()
    }

    /// After which number to look now; ask for it after `heldBack`. Once a second, when nothing rests, at everything.
    package mutating func floor(at now: ContinuousClock.Instant, everything: Bool = false) -> Int64 {
        if everything { return 0 }
        if restsUntil == nil, looksAtAllFrom.map({ $0 <= now }) ?? true {
            looksAtAllFrom = now + .seconds(1)
            return 0
        }
        return max(0, newest - reach)
    }

    /// What became of a batch, whose facts were of these kinds and had numbers up to this one.
    package mutating func settle(
        _ kinds: [String], upTo last: Int64, _ outcomes: [Outcome], at now: ContinuousClock.Instant
    ) -> Result {
        let confirmed = outcomes.indices.filter { outcomes[$0] == .confirmed }
        let turnedAway = outcomes.indices.filter { outcomes[$0] == .nacked || outcomes[$0] == .returned }
        for index in turnedAway { refused[kinds[index]] = now + Self.patience }
        if !confirmed.isEmpty {
            eagerness = 3
            mayRest = true
        }
        newest = max(newest, last)
        let goesOn = kinds.count == Self.batch && confirmed.count == kinds.count
        // There may be more of what is old as well.
        if goesOn { looksAtAllFrom = nil }
        // What has piled up does not rest on its way.
        if !goesOn, restsUntil == nil, kinds.contains(where: unhurried.contains) { restsUntil = now + Self.rest }
        return Result(confirmed: confirmed, refused: turnedAway, goesOn: goesOn)
    }
}
