/// A task that `EventLoop.spawn` started.
package typealias LoopTask<T: Sendable> = _Concurrency.Task<T, any Error>

/// Hides Swift's `Task` in every file that imports `Loop`, so that the spellings that leave the loop do not
/// compile: a bare `Task {}` bounces each await through the Dispatch pool and runs its children there.
package enum Task {
    @available(*, unavailable, message: "use EventLoop.spawn { }: a bare Task leaves the loop")
    package static func callAsFunction() {}
    @available(*, unavailable, message: "use EventLoop.spawn { }")
    package static func detached(_ body: () async -> Void) {}
    @available(*, unavailable, message: "use EventLoop.spawn { }")
    package static func immediate(_ body: () async -> Void) {}

    package static var isCancelled: Bool { _Concurrency.Task<Never, Never>.isCancelled }
    package static func checkCancellation() throws { try _Concurrency.Task<Never, Never>.checkCancellation() }
    @LoopActor package static func yield() async { await _Concurrency.Task.yield() }
    @LoopActor package static func sleep(for duration: Duration) async throws {
        try await EventLoop.sleep(for: duration)
    }
}
