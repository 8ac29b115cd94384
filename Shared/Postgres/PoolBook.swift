/// Which connection goes to whom: the pool's decisions, without connections, tasks or clocks.
///
/// Pure, so that `Tests/Simulation` can try it under any schedule. What waits is kept in the order of coming; a
/// connection is idle only while nobody waits.
package struct PoolBook<Held: AnyObject> {
    package enum Answer {
        case take(Held)
        /// Nothing is idle; `growing` says that one more connection should be opened.
        case wait(growing: Bool)
    }

    package enum Fate: Equatable {
        /// It ended meanwhile: whoever keeps it alive opens another.
        case gone
        /// Perhaps still inside a transaction, or the pool is closed: it must be ended.
        case end
        /// To whoever waits longest.
        case hand
        /// Kept until somebody asks.
        case keep
    }

    private let limit: Int
    /// How many are kept alive, open or not.
    package private(set) var lines = 0
    private var idle: [Held] = []
    private var isRunning = false

    package init(limit: Int) { self.limit = limit }

    package var idleCount: Int { idle.count }

    /// Whether the first connection should be opened.
    package mutating func start() -> Bool {
        isRunning = true
        return lines == 0 && grows()
    }

    package mutating func stop() {
        isRunning = false
        idle = []
    }

    /// The most recently used first: its statements are prepared and its server process is warm.
    package mutating func ask(isOpen: (Held) -> Bool) -> Answer {
        while let held = idle.popLast() {
            if isOpen(held) { return .take(held) }
        }
        return .wait(growing: grows())
    }

    /// One was opened, or is given back.
    package mutating func back(_ held: Held, isOpen: Bool, isClean: Bool, someoneWaits: Bool) -> Fate {
        guard isOpen else { return .gone }
        guard isClean, isRunning else { return .end }
        if someoneWaits { return .hand }
        idle.append(held)
        return .keep
    }

    package mutating func ended(_ held: Held) { idle.removeAll { $0 === held } }

    private mutating func grows() -> Bool {
        guard isRunning, lines < limit else { return false }
        lines += 1
        return true
    }
}
