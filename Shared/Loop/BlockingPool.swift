import Glibc

/// Blocking or CPU-heavy work (Argon2id, PDF) on a bounded number of threads of its own; results come back
/// to the loop.
package final class BlockingPool: Sendable {
    private let queue: BlockingQueue

    /// `limit` is how many pieces of work may wait; one more throws `Overloaded`. `yields` is for work that burns: the
    /// loop goes first wherever both want a core, so that a flood of logins does not slow down every other request.
    package init(threads: Int, limit: Int, yields: Bool = false) {
        queue = BlockingQueue(limit: limit, yields: yields)
        for _ in 0..<max(1, threads) { queue.startThread() }
    }

    deinit { queue.close() }

    /// Too much is waiting already: answer 503 and shed the load.
    package struct Overloaded: Error {
        package init() {}
    }

    /// Work that was accepted runs to its end, even when the caller is cancelled meanwhile.
    @LoopActor package func run<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
        try Task.checkCancellation()
        let result: Result<T, any Error> = await withUnsafeContinuation { continuation in
            let isAccepted = queue.submit {
                let result = Result { try work() }
                EventLoop.shared.post { continuation.resume(returning: result) }
            }
            if !isAccepted { continuation.resume(returning: .failure(Overloaded())) }
        }
        return try result.get()
    }
}

/// The queue between the loop and the threads: a mutex and a condition, held by whoever is still using it.
private final class BlockingQueue: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let limit: Int
    private let yields: Bool
    private var waiting: [@Sendable () -> Void] = []
    private var head = 0
    private var idle = 0
    private var isClosed = false

    init(limit: Int, yields: Bool) {
        self.limit = limit
        self.yields = yields
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    func startThread() {
        var thread = pthread_t()
        let started = pthread_create(&thread, nil, { context in
            guard let context else { return nil }
            let queue = Unmanaged<BlockingQueue>.fromOpaque(context).takeRetainedValue()
            // On Linux 0 is the calling thread.
            if queue.yields { setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10) }
            while let work = queue.take() { work() }
            return nil
        }, Unmanaged.passRetained(self).toOpaque())
        precondition(started == 0, "the system refused a thread")
        pthread_detach(thread)
    }

    /// False when `limit` pieces wait already. What an idle thread will take at once does not count as waiting.
    func submit(_ work: @escaping @Sendable () -> Void) -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        guard !isClosed, waiting.count - head < limit + idle else { return false }
        waiting.append(work)
        pthread_cond_signal(condition)
        return true
    }

    private func take() -> (@Sendable () -> Void)? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        idle += 1
        while waiting.count == head, !isClosed { pthread_cond_wait(condition, mutex) }
        idle -= 1
        guard waiting.count > head else { return nil }
        let work = waiting[head]
        head += 1
        if head == waiting.count {
            waiting.removeAll(keepingCapacity: true)
            head = 0
        }
        return work
    }

    func close() {
        pthread_mutex_lock(mutex)
        isClosed = true
        pthread_cond_broadcast(condition)
        pthread_mutex_unlock(mutex)
    }
}
