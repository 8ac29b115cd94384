import Glibc
import Loop
import Synchronization

/// Runs a test's body on the loop, which a thread of the test process runs from the first use on.
///
///     @Test func `A sleeper wakes`() async throws {
///         try await onLoop { try await EventLoop.sleep(for: .milliseconds(1)) }
///     }
package func onLoop<T: Sendable>(_ body: sending @escaping @LoopActor () async throws -> T) async throws -> T {
    startLoop()
    return try await EventLoop.spawn(body).value
}

/// Starts the loop's thread once per process.
package func startLoop() {
    guard !isStarted.exchange(true, ordering: .acquiringAndReleasing) else { return }
    var thread = pthread_t()
    pthread_create(&thread, nil, { _ in
        EventLoop.shared.run()
        return nil
    }, nil)
    pthread_detach(thread)
}

private let isStarted = Atomic<Bool>(false)
