import Loop

/// Tasks that wait for a connection: first come first served, those who come for many before all others; bounded, each with a
/// deadline.
@LoopActor final class WaitingRoom {
    private let limit: Int
    private var waiters: [Waiter] = []
    private var turns = TurnTimes()
    /// When the last turn came, or the first of those who wait now.
    private var lastTurn = ContinuousClock.now

    init(limit: Int) { self.limit = limit }

    var count: Int { waiters.count }
    /// What whoever comes behind so many has to expect; nothing while nobody waits.
    func expectedWait(behind count: Int) -> Duration { waiters.isEmpty ? .zero : turns.wait(behind: count) }

    func wait(_ deadline: Duration, forMany: Bool = false) async throws -> Connection {
        guard waiters.count < limit else {
            throw PostgresError(.unavailable, message: "\(limit) others wait for a connection already")
        }
        try Task.checkCancellation()
        let waiter = Waiter(forMany: forMany)
        let result = await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                guard !waiter.isCancelled else { return continuation.resume(returning: Self.cancelled) }
                waiter.continuation = continuation
                waiter.timer = EventLoop.shared.after(deadline) { [weak self] in
                    self?.dismiss(waiter, .failure(PostgresError(.unavailable, message: "no connection became free")))
                }
                if waiters.isEmpty { lastTurn = .now }
                waiters.insert(waiter, at: forMany ? waiters.firstIndex { !$0.isForMany } ?? waiters.count : waiters.count)
            }
        } onCancel: {
            let leave: @LoopActor @Sendable () -> Void = {
                waiter.isCancelled = true
                self.dismiss(waiter, Self.cancelled)
            }
            if EventLoop.shared.isCurrent { LoopActor.assumeOnLoop(leave) } else { EventLoop.shared.post(leave) }
        }
        return try result.get()
    }

    /// Hands the connection to whoever waits longest; false when nobody does.
    func admit(_ connection: Connection) -> Bool {
        guard let first = waiters.first else { return false }
        let now = ContinuousClock.now
        turns.came(after: now - lastTurn)
        lastTurn = now
        dismiss(first, .success(connection))
        return true
    }

    func dismissAll(_ error: PostgresError) {
        for waiter in waiters { dismiss(waiter, .failure(error)) }
    }

    private static var cancelled: Result<Connection, any Error> { .failure(CancellationError()) }

    private func dismiss(_ waiter: Waiter, _ result: Result<Connection, any Error>) {
        guard let index = waiters.firstIndex(where: { $0 === waiter }) else { return }
        waiters.remove(at: index)
        EventLoop.shared.cancelTimer(waiter.timer)
        waiter.continuation?.resume(returning: result)
    }

    @LoopActor private final class Waiter {
        var continuation: UnsafeContinuation<Result<Connection, any Error>, Never>?
        var timer: UInt64 = 0
        var isCancelled = false
        let isForMany: Bool

        init(forMany isForMany: Bool) { self.isForMany = isForMany }
    }
}
