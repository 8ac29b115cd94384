import Glibc
import Loop
import Synchronization
import TestSupport
import Testing

/// The loop's one promise: what is spawned on it never leaves it. Serialised, because the counters are the process's.
@Suite(.serialized) struct LoopTests {
    /// Runs `body` on the loop and returns how many jobs came from other threads meanwhile. The counter is the
    /// process's and other tests run beside this one, so the best of some runs counts: a hop of ours is in every run.
    private func hops(_ body: @escaping @LoopActor @Sendable () async throws -> Void) async throws -> Int {
        var least = Int.max
        for _ in 0..<50 where least > 0 {
            least = min(
                least,
                try await onLoop {
                    let before = EventLoop.shared.remoteEnqueues
                    try await body()
                    #expect(EventLoop.shared.isCurrent)
                    return EventLoop.shared.remoteEnqueues - before
                })
        }
        #expect(EventLoop.shared.wrongThread == 0)
        return least
    }

    @Test func `Sleeping, yielding and continuing never leave the loop`() async throws {
        let count = try await hops {
            for _ in 0..<10 {
                try await EventLoop.sleep(for: .milliseconds(1))
                EventLoop.shared.check()
                await Task.yield()
                EventLoop.shared.check()
                await withUnsafeContinuation { continuation in
                    EventLoop.shared.after(.zero) { continuation.resume() }
                }
                EventLoop.shared.check()
            }
        }
        #expect(count == 0)
    }

    @Test func `A spawned task starts on the loop, also from another thread`() async throws {
        startLoop()
        let isOnLoop = try await EventLoop.spawn { EventLoop.shared.isCurrent }.value
        #expect(isOnLoop)
        let count = try await hops {
            for number in 0..<100 {
                let value = try await EventLoop.spawn {
                    await Task.yield()
                    EventLoop.shared.check()
                    return number
                }.value
                #expect(value == number)
            }
        }
        #expect(count == 0)
    }

    @Test func `Children of a spawned task stay on the loop`() async throws {
        let count = try await hops {
            async let one = nonisolatedChild()
            async let two = loopChild()
            #expect(await one + two == 3)
            await withTaskGroup(of: Int.self) { group in
                for _ in 0..<8 {
                    group.addTask { await nonisolatedChild() }
                    group.addTask { await loopChild() }
                }
                var sum = 0
                for await value in group {
                    EventLoop.shared.check()
                    sum += value
                }
                #expect(sum == 24)
            }
        }
        #expect(count == 0)
    }

    @Test func `Cancelling ends a sleep at once`() async throws {
        let count = try await hops {
            let sleeper = EventLoop.spawn { try await EventLoop.sleep(for: .seconds(3600)) }
            await Task.yield()
            sleeper.cancel()
            await #expect(throws: CancellationError.self) { try await sleeper.value }
            let late = EventLoop.spawn { try await EventLoop.sleep(for: .seconds(3600)) }
            late.cancel()
            await #expect(throws: CancellationError.self) { try await late.value }
        }
        #expect(count == 0)
    }

    @Test func `A foreign thread may cancel a sleep`() async throws {
        startLoop()
        let sleeper = EventLoop.spawn { try await EventLoop.sleep(for: .seconds(3600)) }
        sleeper.cancel()
        await #expect(throws: CancellationError.self) { try await sleeper.value }
    }

    @Test func `Timers fire in the order of their deadlines`() async throws {
        let order = try await onLoop {
            let log = Log()
            EventLoop.shared.after(.milliseconds(6)) { log.lines.append("third") }
            EventLoop.shared.after(.milliseconds(1)) { log.lines.append("first") }
            EventLoop.shared.after(.milliseconds(3)) { log.lines.append("second") }
            let never = EventLoop.shared.after(.milliseconds(2)) { log.lines.append("never") }
            EventLoop.shared.cancelTimer(never)
            try await EventLoop.sleep(for: .milliseconds(8))
            return log.lines
        }
        #expect(order == ["first", "second", "third"])
    }

    @Test func `Thousands of cancelled timers do not disturb the living`() async throws {
        let fired = try await onLoop {
            let log = Log()
            for _ in 0..<5000 {
                EventLoop.shared.cancelTimer(EventLoop.shared.after(.seconds(60)) { log.lines.append("never") })
            }
            EventLoop.shared.after(.milliseconds(1)) { log.lines.append("living") }
            try await EventLoop.sleep(for: .milliseconds(3))
            return log.lines
        }
        #expect(fired == ["living"])
    }

    @Test func `A huge duration is clamped instead of trapping`() {
        #expect(Duration.seconds(Int64.max / 2).nanoseconds == 1_000_000_000_000_000_000)
        #expect(Duration.seconds(-Int64.max / 2).nanoseconds == -1_000_000_000_000_000_000)
        #expect(Duration.milliseconds(-1).nanoseconds == -1_000_000)
    }

    @Test func `A caught signal reaches its handler on the loop`() async throws {
        try await onLoop {
            await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
                EventLoop.shared.onSignal(SIGUSR1) {
                    EventLoop.shared.check()
                    continuation.resume()
                }
                kill(getpid(), SIGUSR1)
            }
        }
    }

    @Test func `A channel hears of its descriptor and flushes once per tick`() async throws {
        let heard = try await onLoop {
            var ends: [Int32] = [0, 0]
            #expect(pipe(&ends) == 0)
            let reader = PipeReader(fd: ends[0])
            #expect(EventLoop.shared.register(reader, events: EventLoop.readable))
            #expect(!EventLoop.shared.register(reader, events: EventLoop.readable))
            for _ in 0..<3 { EventLoop.shared.markDirty(reader) }
            var byte: UInt8 = 7
            await withUnsafeContinuation { continuation in
                reader.waiting = continuation
                write(ends[1], &byte, 1)
            }
            EventLoop.shared.unregister(reader)
            close(ends[0])
            close(ends[1])
            return (reader.received, reader.flushes)
        }
        #expect(heard.0 == [7])
        #expect(heard.1 == 1)
    }
}

@Suite struct BlockingPoolTests {
    @Test func `Work runs on a thread of the pool and its result comes back to the loop`() async throws {
        let pool = BlockingPool(threads: 2, limit: 100)
        let total = try await onLoop {
            var total = 0
            for number in 1...50 {
                total += try await pool.run {
                    #expect(!EventLoop.shared.isCurrent)
                    return number
                }
                EventLoop.shared.check()
            }
            return total
        }
        #expect(total == 1275)
    }

    @Test func `What the work throws arrives`() async throws {
        struct Broken: Error {}
        let pool = BlockingPool(threads: 1, limit: 1)
        await #expect(throws: Broken.self) {
            try await onLoop { try await pool.run { throw Broken() } }
        }
    }

    @Test func `More work than may wait is refused`() async throws {
        let pool = BlockingPool(threads: 1, limit: 1)
        let gate = Gate()
        try await onLoop {
            let first = EventLoop.spawn { try await pool.run { gate.pass() } }
            while !gate.isReached { await Task.yield() }
            let second = EventLoop.spawn { try await pool.run {} }
            await Task.yield()
            await #expect(throws: BlockingPool.Overloaded.self) { try await pool.run {} }
            gate.open()
            try await first.value
            try await second.value
        }
    }
}

private func nonisolatedChild() async -> Int {
    EventLoop.shared.check()
    await Task.yield()
    EventLoop.shared.check()
    return 1
}

@LoopActor private func loopChild() async -> Int {
    try? await EventLoop.sleep(for: .milliseconds(1))
    EventLoop.shared.check()
    return 2
}

@LoopActor private final class Log { var lines: [String] = [] }

@LoopActor private final class PipeReader: Channel {
    var received: [UInt8] = []
    var flushes = 0
    var waiting: UnsafeContinuation<Void, Never>?

    override func onEvent(_ events: UInt32) {
        var byte: UInt8 = 0
        guard read(fd, &byte, 1) == 1 else { return }
        received.append(byte)
        waiting?.resume()
        waiting = nil
    }
    override func flush() { flushes += 1 }
}

/// Holds a thread of the pool until opened.
private final class Gate: Sendable {
    private let reached = Atomic<Bool>(false)
    private let opened = Atomic<Bool>(false)
    var isReached: Bool { reached.load(ordering: .acquiring) }
    func open() { opened.store(true, ordering: .releasing) }
    func pass() {
        reached.store(true, ordering: .releasing)
        while !opened.load(ordering: .acquiring) { sched_yield() }
    }
}
