import Glibc

/// Calls that wait for their time: a binary heap by deadline. Cancelling forgets the call at once and its
/// heap entry later, when it surfaces or when the forgotten outnumber the living.
struct Timers {
    private struct Entry {
        let deadline: Int
        let id: UInt64
    }

    private var heap: [Entry] = []
    private var calls: [UInt64: @LoopActor () -> Void] = [:]
    private var lastID: UInt64 = 0

    /// The monotonic clock in nanoseconds.
    static func now() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec &* 1_000_000_000 &+ time.tv_nsec
    }

    /// The earliest deadline, perhaps of a cancelled timer.
    var next: Int? { heap.first?.deadline }

    mutating func add(at deadline: Int, _ call: @escaping @LoopActor () -> Void) -> UInt64 {
        lastID += 1
        calls[lastID] = call
        heap.append(Entry(deadline: deadline, id: lastID))
        rise(heap.count - 1)
        return lastID
    }

    mutating func cancel(_ id: UInt64) {
        calls[id] = nil
        if heap.count > 64, heap.count > 2 * calls.count { compact() }
    }

    /// Removes and returns the first call whose time has come.
    mutating func pop(until now: Int) -> (@LoopActor () -> Void)? {
        while let first = heap.first {
            let call = calls[first.id]
            guard call == nil || first.deadline <= now else { return nil }
            removeFirst()
            if let call {
                calls[first.id] = nil
                return call
            }
        }
        return nil
    }

    private mutating func compact() {
        heap.removeAll { calls[$0.id] == nil }
        // A sorted array is a heap.
        heap.sort { $0.deadline < $1.deadline }
    }

    private mutating func rise(_ start: Int) {
        var index = start
        while index > 0, heap[(index - 1) / 2].deadline > heap[index].deadline {
            heap.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    private mutating func removeFirst() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var index = 0
        while true {
            var least = index
            for child in [2 * index + 1, 2 * index + 2]
            where child < heap.count && heap[child].deadline < heap[least].deadline {
                least = child
            }
            guard least != index else { return }
            heap.swapAt(index, least)
            index = least
        }
    }
}

extension EventLoop {
    /// Calls `body` once after `duration`; the number cancels it.
    @LoopActor @discardableResult
    package func after(_ duration: Duration, _ body: @escaping @LoopActor () -> Void) -> UInt64 {
        timers.add(at: Timers.now() + duration.nanoseconds, body)
    }

    @LoopActor package func cancelTimer(_ id: UInt64) { timers.cancel(id) }

    @LoopActor func fireTimers() {
        guard timers.next != nil else { return }
        tickTime = Timers.now()
        // Calls may add timers; those of this instant run too, later ones wait.
        while let call = timers.pop(until: tickTime) { call() }
    }

    /// The only way to wait: on the loop's own timers, ended early by cancellation.
    @LoopActor package static func sleep(for duration: Duration) async throws {
        let sleeper = Sleeper()
        let wasCancelled = await withTaskCancellationHandler {
            await withUnsafeContinuation { sleeper.start($0, duration) }
        } onCancel: {
            // Another thread may cancel; the sleeper lives on the loop.
            if shared.isCurrent {
                LoopActor.assumeOnLoop { sleeper.cancel() }
            } else {
                shared.post { sleeper.cancel() }
            }
        }
        if wasCancelled { throw CancellationError() }
    }
}

/// One `sleep`: resumed exactly once, by its timer or by cancellation, whichever comes first.
@LoopActor private final class Sleeper {
    private var waiting: UnsafeContinuation<Bool, Never>?
    private var timer: UInt64 = 0
    private var isCancelled = false

    func start(_ continuation: UnsafeContinuation<Bool, Never>, _ duration: Duration) {
        guard !isCancelled else { return continuation.resume(returning: true) }
        waiting = continuation
        timer = EventLoop.shared.after(duration) { self.finish(cancelled: false) }
    }

    func cancel() {
        isCancelled = true
        EventLoop.shared.cancelTimer(timer)
        finish(cancelled: true)
    }

    private func finish(cancelled: Bool) {
        waiting?.resume(returning: cancelled)
        waiting = nil
    }
}

extension Duration {
    /// Whole nanoseconds, clamped to about thirty years either way so that sums with the clock cannot overflow.
    package var nanoseconds: Int {
        let (seconds, attoseconds) = components
        let limit: Int64 = 1_000_000_000
        guard seconds > -limit else { return Int(-limit) * 1_000_000_000 }
        guard seconds < limit else { return Int(limit) * 1_000_000_000 }
        return Int(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }
}
