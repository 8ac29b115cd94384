import Loop
import Synchronization

/// Receives messages from queues and hands them to the loop; each stays the broker's until acknowledged.
///
/// There is no way to hand one back (`nack`): what that counts as differs between broker versions. Whoever
/// cannot handle a message publishes it elsewhere and then acknowledges it.
@LoopActor package final class Subscriber {
    package struct Source: Sendable {
        package let queue: String
        /// At most this many unacknowledged at once: what one crash can drag along.
        package let prefetch: UInt16
        package init(_ queue: String, prefetch: UInt16 = 10) {
            self.queue = queue
            self.prefetch = min(max(prefetch, 1), 256)
        }
    }

    package private(set) var isConnected = false
    package private(set) var lastFault: AMQPError?
    package var onChange: (@LoopActor () -> Void)?

    private let link: ConsumingLink

    package nonisolated init(
        _ configuration: AMQPConfiguration, name: String, topology: Topology = Topology(), from sources: [Source]
    ) {
        link = ConsumingLink(configuration, name: name + " consuming", topology: topology, sources: sources)
    }

    /// Starts connecting and keeps reconnecting; `handle` gets every delivery on the loop.
    package func start(_ handle: @escaping @LoopActor @Sendable (Delivery) -> Void) {
        link.deliver = { deliveries in EventLoop.shared.post { for one in deliveries { handle(one) } } }
        link.report = { [weak self] isConnected, fault in
            EventLoop.shared.post {
                guard let self else { return }
                self.isConnected = isConnected
                if let fault { self.lastFault = fault }
                self.onChange?()
            }
        }
        link.start()
    }

    /// The effect is committed, the broker may forget it. Void if the connection changed since.
    package func acknowledge(_ tag: DeliveryTag) { link.submit(.acknowledge([tag])) }

    /// The same for several at once, which costs the broker hardly more than one.
    package func acknowledge(_ tags: [DeliveryTag]) { link.submit(.acknowledge(tags)) }

    /// Whether the tag's connection is still the current one.
    package func isValid(_ tag: DeliveryTag) -> Bool { link.epoch == tag.epoch }

    /// No new deliveries; those handed over can still be acknowledged.
    package func pause() { link.submit(.pause) }

    /// Sends the waiting acknowledgements and closes; the broker delivers the rest elsewhere.
    package func stop() { link.stop() }
}

/// The consuming connection's thread.
final class ConsumingLink: Link, @unchecked Sendable {
    enum Order: Sendable {
        case acknowledge([DeliveryTag])
        case pause
    }

    private let sources: [Subscriber.Source]
    /// Set before `start`; called on the thread.
    nonisolated(unsafe) var deliver: @Sendable ([Delivery]) -> Void = { _ in }
    nonisolated(unsafe) var report: @Sendable (Bool, AMQPError?) -> Void = { _, _ in }
    private let orders = Mutex<[Order]>([])
    private let currentEpoch = Atomic<UInt64>(0)
    // The thread's own:
    private var gathered: [Delivery] = []
    private var isPaused = false
    private var acknowledgements = AckBook()

    init(_ configuration: AMQPConfiguration, name: String, topology: Topology, sources: [Subscriber.Source]) {
        self.sources = sources
        super.init(configuration, name: name, topology: topology)
    }

    var epoch: UInt64 { currentEpoch.load(ordering: .acquiring) }

    func submit(_ order: Order) {
        orders.withLock { $0.append(order) }
        ring()
    }

    override func opened(_ connection: RawConnection) throws(AMQPError) {
        currentEpoch.add(1, ordering: .acquiringAndReleasing)
        gathered.removeAll()
        acknowledgements = AckBook()
        report(true, nil)
        guard !isPaused else { return }
        for source in sources { try connection.consume(source.queue, prefetch: source.prefetch) }
    }

    override func turn(_ connection: RawConnection) throws(AMQPError) {
        if !gathered.isEmpty {
            deliver(gathered)
            gathered.removeAll(keepingCapacity: true)
        }
        let todo = orders.withLock { list in
            defer { list.removeAll(keepingCapacity: true) }
            return list
        }
        var done: [UInt64] = []
        for case .acknowledge(let tags) in todo {
            for tag in tags where tag.epoch == epoch { done.append(tag.number) }
        }
        for ack in acknowledgements.say(done) { try connection.acknowledge(ack.tag, multiple: ack.multiple) }
        for order in todo {
            switch order {
            case .acknowledge: continue
            case .pause:
                guard !isPaused else { continue }
                isPaused = true
                for source in sources { try connection.cancel(consumer: source.queue) }
            }
        }
    }

    override func received(_ frame: Frame) throws(AMQPError) {
        switch frame {
        case .delivered(let raw):
            gathered.append(
                Delivery(
                    queue: raw.consumer, tag: DeliveryTag(epoch: epoch, number: raw.tag), redelivered: raw.redelivered,
                    routingKey: raw.routingKey, messageID: raw.messageID, contentType: raw.contentType,
                    headers: raw.headers, body: raw.body))
        case .cancelled(let consumer):
            // Somebody deleted the queue: connecting again declares it again.
            throw .unavailable("the queue \(consumer) is gone")
        case .acknowledged, .refused, .returned, .blocked, .unblocked, .other: break
        }
    }

    override func lost(_ error: AMQPError?) {
        // From here on no tag of ours is valid; what was not acknowledged will be delivered again.
        currentEpoch.add(1, ordering: .acquiringAndReleasing)
        gathered.removeAll()
        report(false, error)
    }
}
