/// The isolation of everything that is not a pure rule: one thread, the one that runs the loop.
@globalActor public actor LoopActor {
    public static let shared = LoopActor()
    public nonisolated var unownedExecutor: UnownedSerialExecutor { EventLoop.shared.asUnownedSerialExecutor() }

    /// Enters the loop's isolation from synchronous code that is known to run on its thread: a C callback.
    ///
    /// Traps on any other thread, in release builds too: two threads inside the loop's state would be worse.
    @inline(__always)
    package static func assumeOnLoop<T>(_ body: @LoopActor () throws -> T) rethrows -> T {
        precondition(EventLoop.shared.isCurrent, "not on the loop's thread")
        // The same cast as the standard library's `MainActor.assumeIsolated`.
        return try withoutActuallyEscaping(body) { try unsafeBitCast($0, to: (() throws -> T).self)() }
    }
}
