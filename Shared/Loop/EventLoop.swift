import CLinux
import Glibc
import Synchronization

/// The process's one epoll loop. It is the serial executor of `LoopActor` and the task executor that every
/// spawned task prefers, so code between two awaits never shares its state with another thread.
///
/// Both roles are needed: a continuation is resumed on the task's *preferred* executor, and a custom global
/// actor alone would send every await through the Dispatch pool and back (`runtime.md`, pitfalls).
package final class EventLoop: SerialExecutor, TaskExecutor, @unchecked Sendable {
    package static let shared = EventLoop()

    let epoll: Int32 = epoll_create1(Int32(EPOLL_CLOEXEC))
    private let wakeup: Int32 = eventfd(0, Int32(EFD_NONBLOCK) | Int32(EFD_CLOEXEC))

    /// The thread inside `run`, or 0. Before `run`, everything waits in `remote`.
    private let thread = Atomic<UInt>(0)
    private let isStopping = Atomic<Bool>(false)
    private let hasRemote = Atomic<Bool>(false)
    private let remote = Mutex(Remote())

    private struct Remote {
        var jobs: [UnownedJob] = []
        var calls: [@LoopActor @Sendable () -> Void] = []
    }

    // Only the loop's thread touches what follows.
    private var ready: [UnownedJob] = []
    private var running: [UnownedJob] = []
    var channels: [Registration] = []
    var dirty: [Channel] = []
    var timers = Timers()
    var signals: SignalChannel?

    /// The monotonic clock in nanoseconds, read once per tick: exact enough for deadlines.
    @LoopActor package internal(set) var tickTime: Int = Timers.now()

    /// Jobs that came from other threads. Tests assert that awaits, sleeps and continuations cause none;
    /// `post` is the deliberate way in and is not counted.
    package private(set) var remoteEnqueues = 0
    private let strays = Atomic<Int>(0)
    /// How often `check` ran on another thread.
    package var wrongThread: Int { strays.load(ordering: .relaxed) }

    private init() {
        precondition(epoll >= 0 && wakeup >= 0, "the system refused an epoll or eventfd descriptor")
        // A peer that goes away is an error of one write, never the end of the process.
        signal(SIGPIPE, SIG_IGN)
        var event = epoll_event(events: EventLoop.readable, data: epoll_data_t(u64: .max))
        precondition(epoll_ctl(epoll, EPOLL_CTL_ADD, wakeup, &event) == 0)
    }

    // MARK: executor

    /// Whether the caller is on the loop's thread.
    @inline(__always)
    package var isCurrent: Bool { UInt(bitPattern: Int(bitPattern: pthread_self())) == thread.load(ordering: .relaxed) }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if isCurrent { return ready.append(job) }
        remote.withLock { $0.jobs.append(job) }
        wake()
    }

    package func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }
    package func asUnownedTaskExecutor() -> UnownedTaskExecutor { UnownedTaskExecutor(ordinary: self) }
    package func checkIsolated() { precondition(isCurrent, "not on the loop's thread") }
    package func isIsolatingCurrentContext() -> Bool? { isCurrent }

    /// Counts a caller that is not on the loop's thread; for tests.
    package func check() {
        if !isCurrent { strays.add(1, ordering: .relaxed) }
    }

    /// Any thread: runs `body` on the loop, in the next tick at the latest.
    package func post(_ body: @escaping @LoopActor @Sendable () -> Void) {
        remote.withLock { $0.calls.append(body) }
        wake()
    }

    /// The only way to start a task: isolated to the loop and never leaving it. Children inherit both.
    @discardableResult
    package static func spawn<T: Sendable>(
        _ body: sending @escaping @LoopActor () async throws -> T
    ) -> LoopTask<T> {
        _Concurrency.Task(executorPreference: shared, operation: body)
    }

    private func wake() {
        guard !hasRemote.exchange(true, ordering: .acquiringAndReleasing), !isCurrent else { return }
        var one: UInt64 = 1
        _ = write(wakeup, &one, 8)
    }

    // MARK: running

    /// Runs the loop on the calling thread until `stop`. Call it from a synchronous `main`.
    package func run() {
        let me = UInt(bitPattern: Int(bitPattern: pthread_self()))
        precondition(
            thread.compareExchange(expected: 0, desired: me, ordering: .acquiringAndReleasing).exchanged,
            "the loop already runs")
        defer { thread.store(0, ordering: .releasing) }
        nonisolated(unsafe) let events = UnsafeMutableBufferPointer<epoll_event>.allocate(capacity: 256)
        defer { events.deallocate() }
        var isFirst = true
        while !isStopping.load(ordering: .acquiring) {
            takeRemote(counting: !isFirst)
            isFirst = false
            LoopActor.assumeOnLoop { fireTimers() }
            runReady()
            LoopActor.assumeOnLoop { flushDirty() }
            let count = epoll_wait(epoll, events.baseAddress, Int32(events.count), timeout())
            LoopActor.assumeOnLoop {
                tickTime = Timers.now()
                // Negative is EINTR: a signal's own descriptor reports it in the next turn.
                if count > 0 { dispatch(events[0..<Int(count)]) }
            }
        }
        isStopping.store(false, ordering: .releasing)
    }

    /// Any thread: `run` returns at the end of this tick.
    package func stop() {
        isStopping.store(true, ordering: .releasing)
        hasRemote.store(false, ordering: .releasing)
        wake()
    }

    private func takeRemote(counting: Bool) {
        guard hasRemote.exchange(false, ordering: .acquiringAndReleasing) else { return }
        let taken = remote.withLock { queue in
            let taken = queue
            queue = Remote()
            return taken
        }
        if counting { remoteEnqueues &+= taken.jobs.count }
        ready.append(contentsOf: taken.jobs)
        LoopActor.assumeOnLoop { for call in taken.calls { call() } }
    }

    /// Runs what is ready, in a bounded number of rounds: tasks that keep yielding must not starve sockets.
    private func runReady() {
        let serial = asUnownedSerialExecutor()
        let task = asUnownedTaskExecutor()
        var rounds = 0
        while !ready.isEmpty, rounds < 64 {
            rounds += 1
            swap(&ready, &running)
            for job in running { job.runSynchronously(isolatedTo: serial, taskExecutor: task) }
            running.removeAll(keepingCapacity: true)
        }
    }

    /// How long the loop may block, in milliseconds; -1 is until something happens.
    private func timeout() -> Int32 {
        if !ready.isEmpty || !dirty.isEmpty || hasRemote.load(ordering: .acquiring)
            || isStopping.load(ordering: .acquiring)
        {
            return 0
        }
        guard let next = timers.next else { return -1 }
        return Int32(clamping: max(0, (next - Timers.now() + 999_999) / 1_000_000))
    }

    @LoopActor private func dispatch(_ events: Slice<UnsafeMutableBufferPointer<epoll_event>>) {
        for event in events {
            let key = event.data.u64
            if key == .max {
                var count: UInt64 = 0
                _ = read(wakeup, &count, 8)
            } else {
                channel(for: key)?.onEvent(event.events)
            }
        }
    }
}
