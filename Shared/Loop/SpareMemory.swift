import CLinux

/// Gives what malloc keeps for later back to the system, for as long as the process lives.
///
/// malloc gives back by itself only what lies at the end of its heap. After a bench the services held 2 to 4 MiB each that
/// nobody used, and after ten thousand listeners notifications held 147; a pod is sized by what it holds. A look takes some
/// 0.1 ms (measured at 10 MiB of heap).
@LoopActor package enum SpareMemory {
    package static func giveBack(every period: Duration = .seconds(5)) async throws {
        while true {
            try await EventLoop.sleep(for: period)
            malloc_trim(0)
        }
    }
}
