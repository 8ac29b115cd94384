/// Exchanges, queues and bindings that must exist before anything is published or consumed.
///
/// Declared at every connect: it costs a round trip each, changes nothing that is there, and brings
/// everything back after a broker lost its disk.
package struct Topology: Sendable {
    package var exchanges: [Exchange]
    package var queues: [Queue]
    package var bindings: [Binding]

    package init(exchanges: [Exchange] = [], queues: [Queue] = [], bindings: [Binding] = []) {
        self.exchanges = exchanges
        self.queues = queues
        self.bindings = bindings
    }

    package struct Exchange: Sendable, Equatable {
        package let name: String
        /// `topic`, `fanout` or `direct`.
        package let kind: String
        package let arguments: [String: AMQPValue]
        package init(_ name: String, kind: String, arguments: [String: AMQPValue] = [:]) {
            self.name = name
            self.kind = kind
            self.arguments = arguments
        }
    }

    package struct Binding: Sendable, Equatable {
        package let queue: String
        package let exchange: String
        package let key: String
        package init(queue: String, exchange: String, key: String) {
            self.queue = queue
            self.exchange = exchange
            self.key = key
        }
    }

    package static func + (a: Topology, b: Topology) -> Topology {
        Topology(exchanges: a.exchanges + b.exchanges, queues: a.queues + b.queues, bindings: a.bindings + b.bindings)
    }
}

extension Topology {
    /// A durable quorum queue: the only kind that survives the loss of a broker node.
    package struct Queue: Sendable, Equatable {
        package let name: String
        package let arguments: [String: AMQPValue]

        /// What happens to a message that may not stay.
        package enum End: Sendable {
            /// It goes to this queue, at least once: it leaves here only when it has arrived there.
            case movesTo(String)
            /// The oldest are dropped when the queue is full.
            case dropped
            /// Nothing leaves; a full queue refuses.
            case stays
        }

        package init(
            quorum name: String, end: End, maximumLength: Int64? = nil, deliveryLimit: Int64? = nil,
            timeToLive: Duration? = nil
        ) {
            self.name = name
            var arguments: [String: AMQPValue] = ["x-queue-type": "quorum"]
            switch end {
            case .movesTo(let target):
                arguments["x-dead-letter-exchange"] = ""
                arguments["x-dead-letter-routing-key"] = .text(target)
                arguments["x-dead-letter-strategy"] = "at-least-once"
                // With drop-head the broker falls back to at-most-once without a word.
                arguments["x-overflow"] = "reject-publish"
            case .dropped: arguments["x-overflow"] = "drop-head"
            case .stays: arguments["x-overflow"] = "reject-publish"
            }
            if let maximumLength { arguments["x-max-length"] = .number(maximumLength) }
            if let deliveryLimit { arguments["x-delivery-limit"] = .number(deliveryLimit) }
            if let timeToLive {
                let (seconds, attoseconds) = timeToLive.components
                arguments["x-message-ttl"] = .number(seconds * 1000 + attoseconds / 1_000_000_000_000_000)
            }
            self.arguments = arguments
        }
    }
}
