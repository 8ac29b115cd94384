import Loop
import Synchronization

/// Sends messages and says what became of each: persistent, mandatory, confirmed by the broker.
@LoopActor package final class Publisher {
    /// How many unconfirmed messages the broker may owe us an answer for: as many as a look of the relay takes (`RelayBook.batch`).
    package nonisolated static let window = 1024
    /// How many may wait here; more throw `overloaded`.
    package nonisolated static let capacity = 4096

    package private(set) var isConnected = false
    /// The broker is out of memory or disk and takes nothing until it says so.
    package private(set) var isBlocked = false
    /// Why the last connection ended, for the log.
    package private(set) var lastFault: AMQPError?
    /// Called on the loop when the connection came or went.
    package var onChange: (@LoopActor () -> Void)?

    private let link: PublishingLink
    private var waiting: [UInt64: (batch: Batch, index: Int)] = [:]
    private var nextToken: UInt64 = 0

    package nonisolated init(_ configuration: AMQPConfiguration, name: String, topology: Topology = Topology()) {
        link = PublishingLink(configuration, name: name + " publishing", topology: topology)
    }

    /// Starts connecting and keeps reconnecting; returns at once.
    package func start() {
        link.report = { [weak self] report in EventLoop.shared.post { self?.on(report) } }
        link.start()
    }

    /// Sends what waits, closes, and settles the rest as unknown.
    package func stop() { link.stop() }

    /// Publishes in order, many in flight, and returns one outcome per message. Throws, with nothing sent, when
    /// the broker is away or has blocked us; once sent it takes at most about the confirm timeout.
    package func publish(_ messages: [OutgoingMessage]) async throws -> [Outcome] {
        guard !messages.isEmpty else { return [] }
        guard isConnected else { throw lastFault ?? AMQPError.unavailable("not connected") }
        guard !isBlocked else { throw AMQPError.unavailable("blocked by the broker") }
        guard waiting.count + messages.count <= Self.capacity else { throw AMQPError.overloaded }
        return await withCheckedContinuation { continuation in
            let batch = Batch(count: messages.count, continuation)
            let first = nextToken
            nextToken += UInt64(messages.count)
            for index in messages.indices { waiting[first + UInt64(index)] = (batch, index) }
            link.submit(messages, firstToken: first)
        }
    }

    private func on(_ report: PublishingLink.Report) {
        switch report {
        case .opened:
            isConnected = true
            isBlocked = false
            lastFault = nil
            onChange?()
        case .lost(let error):
            isConnected = false
            if let error { lastFault = error }
            // What was submitted before this news arrived, and after the thread had looked for the last time.
            for token in link.withdraw() { settle(.init(token: token, outcome: .unknown)) }
            onChange?()
        case .blocked(let flag): isBlocked = flag
        case .settled(let settled): for one in settled { settle(one) }
        }
    }

    private func settle(_ one: ConfirmTracker.Settled) {
        guard let (batch, index) = waiting.removeValue(forKey: one.token) else { return }
        batch.settle(index, one.outcome)
    }
}

/// One call of `publish`, until its last message is settled.
@LoopActor private final class Batch {
    private var outcomes: [Outcome]
    private var left: Int
    private let continuation: CheckedContinuation<[Outcome], Never>

    init(count: Int, _ continuation: CheckedContinuation<[Outcome], Never>) {
        outcomes = Array(repeating: .unknown, count: count)
        left = count
        self.continuation = continuation
    }

    func settle(_ index: Int, _ outcome: Outcome) {
        outcomes[index] = outcome
        left -= 1
        if left == 0 { continuation.resume(returning: outcomes) }
    }
}

/// The publishing connection's thread.
final class PublishingLink: Link, @unchecked Sendable {
    enum Report: Sendable {
        case opened
        case lost(AMQPError?)
        case blocked(Bool)
        case settled([ConfirmTracker.Settled])
    }

    private struct Waiting {
        let token: UInt64
        let message: OutgoingMessage
        let since: ContinuousClock.Instant
    }

    /// Set before `start`; called on the thread.
    nonisolated(unsafe) var report: @Sendable (Report) -> Void = { _ in }
    private let submitted = Mutex<[Waiting]>([])
    // The thread's own:
    private var queue: [Waiting] = []
    private var sentAt: [UInt64: ContinuousClock.Instant] = [:]
    private var tracker = ConfirmTracker()
    private var isBlocked = false

    func submit(_ messages: [OutgoingMessage], firstToken: UInt64) {
        let now = ContinuousClock.now
        submitted.withLock { list in
            for (index, message) in messages.enumerated() {
                list.append(Waiting(token: firstToken + UInt64(index), message: message, since: now))
            }
        }
        ring()
    }

    /// Takes back what the thread has not seen yet.
    func withdraw() -> [UInt64] {
        submitted.withLock { list in
            defer { list.removeAll() }
            return list.map(\.token)
        }
    }

    override func opened(_ connection: RawConnection) throws(AMQPError) {
        try connection.confirmPublishes()
        tracker = ConfirmTracker()
        isBlocked = false
        report(.opened)
    }

    override func turn(_ connection: RawConnection) throws(AMQPError) {
        collect()
        var sent = 0
        while !isBlocked, sent < queue.count, tracker.inFlight < Publisher.window {
            let next = queue[sent]
            // Counted as sent before it is: if sending fails half-way its fate is unknown, not "never sent".
            settle(.sent(token: next.token, messageID: next.message.messageID))
            sentAt[next.token] = .now
            sent += 1
            do throws(AMQPError) { try connection.publish(next.message) } catch {
                queue.removeFirst(sent)
                throw error
            }
        }
        queue.removeFirst(sent)
        try expire()
    }

    override func received(_ frame: Frame) throws(AMQPError) {
        switch frame {
        case .acknowledged(let tag, let multiple): settle(.acknowledged(tag: tag, multiple: multiple))
        case .refused(let tag, let multiple): settle(.refused(tag: tag, multiple: multiple))
        case .returned(let messageID): settle(.returned(messageID: messageID))
        case .blocked, .unblocked:
            if case .blocked = frame { isBlocked = true } else { isBlocked = false }
            report(.blocked(isBlocked))
        case .delivered, .cancelled, .other: break
        }
    }

    override func lost(_ error: AMQPError?) {
        // First the news, so that nobody submits more in vain; then the fate of what is here.
        report(.lost(error))
        settle(.lost)
        collect()
        if !queue.isEmpty { report(.settled(queue.map { .init(token: $0.token, outcome: .unknown) })) }
        queue.removeAll()
        sentAt.removeAll()
    }

    private func collect() {
        submitted.withLock { list in
            queue.append(contentsOf: list)
            list.removeAll(keepingCapacity: true)
        }
    }

    private func settle(_ event: ConfirmTracker.Event) {
        let settled = tracker.on(event)
        guard !settled.isEmpty else { return }
        for one in settled { sentAt[one.token] = nil }
        report(.settled(settled))
    }

    /// A broker that neither confirms nor refuses is treated as gone.
    private func expire() throws(AMQPError) {
        let limit = ContinuousClock.now - configuration.confirmTimeout
        if let oldest = sentAt.values.min(), oldest < limit { throw .unavailable("no confirm in time") }
        if let first = queue.first, first.since < limit {
            let late = queue.prefix { $0.since < limit }
            report(.settled(late.map { .init(token: $0.token, outcome: .unknown) }))
            queue.removeFirst(late.count)
        }
    }
}
