import Loop

/// Lets one task wait for a moment or for a call, whichever comes first.
@LoopActor final class Alarm {
    private var sleeper: CheckedContinuation<Void, Never>?
    private var timer: UInt64 = 0
    private var isRinging = false

    nonisolated init() {}

    /// Returns after `limit`, or as soon as it is rung (or was, since the last wait), or cancelled.
    func wait(upTo limit: Duration) async {
        guard !isRinging, !Task.isCancelled else {
            isRinging = false
            return
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                sleeper = continuation
                timer = EventLoop.shared.after(limit) { self.wake() }
            }
        } onCancel: {
            EventLoop.shared.post { self.wake() }
        }
        isRinging = false
    }

    func ring() {
        isRinging = true
        wake()
    }

    private func wake() {
        guard let sleeper else { return }
        self.sleeper = nil
        EventLoop.shared.cancelTimer(timer)
        sleeper.resume()
    }
}

/// At most `limit` tasks at once; the others wait in order.
@LoopActor final class Turnstile {
    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    nonisolated init(_ limit: Int) { free = max(1, limit) }

    func enter() async {
        if free > 0 {
            free -= 1
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    func leave() {
        if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
    }
}

/// Runs `body` and cancels it after `limit`. A body that ignores cancellation is waited for all the same.
@LoopActor func withDeadline<T: Sendable>(
    _ limit: Duration, _ body: @escaping @LoopActor @Sendable () async throws -> T
) async throws -> T {
    let work = EventLoop.spawn { try await body() }
    let timer = EventLoop.shared.after(limit) { work.cancel() }
    defer { EventLoop.shared.cancelTimer(timer) }
    return try await withTaskCancellationHandler { try await work.value } onCancel: { work.cancel() }
}
