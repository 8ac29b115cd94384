import CLinux
import Glibc
import Synchronization

/// The isolation of everything that is not a pure rule: one thread, the main one.
@globalActor package actor LoopActor {
    package static let shared = LoopActor()
    package nonisolated var unownedExecutor: UnownedSerialExecutor { EventLoop.shared.asUnownedSerialExecutor() }
}

/// SKELETON (the HTTP/Loop developer replaces the bodies; the signatures stay).
package final class EventLoop: SerialExecutor, TaskExecutor, @unchecked Sendable {
    package static let shared = EventLoop()

    package func enqueue(_ job: consuming ExecutorJob) { fatalError("skeleton") }
    package func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }
    package func asUnownedTaskExecutor() -> UnownedTaskExecutor { UnownedTaskExecutor(ordinary: self) }

    /// Any thread: runs `body` on the loop.
    package func post(_ body: @escaping @LoopActor @Sendable () -> Void) { fatalError("skeleton") }

    /// The only way to start a task: isolated to the loop and never leaving it.
    @discardableResult
    package static func spawn<T: Sendable>(
        _ body: sending @escaping @LoopActor () async throws -> T
    ) -> _Concurrency.Task<T, any Error> { fatalError("skeleton") }

    /// The only way to wait: on the loop's own timers, ended early by cancellation.
    @LoopActor package static func sleep(for duration: Duration) async throws { fatalError("skeleton") }

    /// Calls `body` once after `duration`; the number cancels it.
    @LoopActor @discardableResult
    package func after(_ duration: Duration, _ body: @escaping @LoopActor () -> Void) -> UInt64 { fatalError("skeleton") }
    @LoopActor package func cancelTimer(_ id: UInt64) { fatalError("skeleton") }

    /// Runs the loop on the calling (main) thread until `stop`.
    package func run() { fatalError("skeleton") }
    package func stop() { fatalError("skeleton") }
}

/// Blocking or CPU-heavy work (Argon2id, PDF) on a bounded number of threads of its own; results come back to the loop.
package final class BlockingPool: Sendable {
    /// `limit` is how many pieces of work may wait; one more throws `Overloaded`.
    package init(threads: Int, limit: Int) {}
    package struct Overloaded: Error {}
    @LoopActor package func run<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T { fatalError("skeleton") }
}
