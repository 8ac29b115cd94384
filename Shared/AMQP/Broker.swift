import Loop

/// Single acts on the broker, each on a connection of its own that closes after it: for `migrate`, for tools
/// and for gauges, never on the way of an event.
package enum Broker {
    /// Brings exchanges, queues and bindings about. Before any service serves, so that no early event finds
    /// its reaction's queue missing.
    @LoopActor package static func declare(_ topology: Topology, on configuration: AMQPConfiguration) async throws {
        try await run(configuration) { connection throws(AMQPError) in
            for exchange in topology.exchanges { try connection.declare(exchange) }
            for queue in topology.queues { try connection.declare(queue) }
            for binding in topology.bindings { try connection.bind(binding) }
        }
    }

    /// How many messages are ready in each queue.
    @LoopActor package static func counts(
        of queues: [String], on configuration: AMQPConfiguration
    ) async throws -> [String: Int] {
        try await run(configuration) { connection throws(AMQPError) in
            var counts: [String: Int] = [:]
            for queue in queues { counts[queue] = try connection.count(queue) }
            return counts
        }
    }

    /// Moves up to `limit` messages, each confirmed there before it is acknowledged here, without the headers
    /// named `dropping`. Returns their bodies.
    @LoopActor package static func move(
        from source: String, to target: String, limit: Int, dropping headers: Set<String>,
        on configuration: AMQPConfiguration
    ) async throws -> [[UInt8]] {
        try await run(configuration) { connection throws(AMQPError) in
            try connection.confirmPublishes()
            var moved: [[UInt8]] = []
            while moved.count < limit, let message = try connection.get(source) {
                try connection.publish(
                    OutgoingMessage(
                        exchange: "", routingKey: target, messageID: message.messageID,
                        contentType: message.contentType,
                        headers: message.headers.filter { !headers.contains($0.key) }, body: message.body))
                try awaitConfirm(connection, of: UInt64(moved.count + 1), within: configuration.confirmTimeout)
                try connection.acknowledge(message.tag)
                moved.append(message.body)
            }
            return moved
        }
    }

    /// Deletes queues, then exchanges, with everything in them: for tests.
    @LoopActor package static func remove(_ topology: Topology, on configuration: AMQPConfiguration) async throws {
        try await run(configuration) { connection throws(AMQPError) in
            for queue in topology.queues { try connection.delete(queue: queue.name) }
            for exchange in topology.exchanges { try connection.delete(exchange: exchange.name) }
        }
    }

    private static func awaitConfirm(
        _ connection: RawConnection, of tag: UInt64, within limit: Duration
    ) throws(AMQPError) {
        let deadline = ContinuousClock.now + limit
        while ContinuousClock.now < deadline {
            switch try connection.next() {
            case .acknowledged(let upTo, let multiple) where upTo == tag || multiple && upTo >= tag: return
            case .refused, .returned: throw .refused(code: 312, "the target queue did not take the message")
            case nil: connection.wait(milliseconds: 50)
            default: continue
            }
        }
        throw .unavailable("no confirm in time")
    }

    private static let threads = BlockingPool(threads: 1, limit: 64)

    @LoopActor private static func run<T: Sendable>(
        _ configuration: AMQPConfiguration, _ body: @escaping @Sendable (RawConnection) throws(AMQPError) -> T
    ) async throws -> T {
        try await threads.run {
            let connection = try RawConnection(configuration, name: "polyclinic tool")
            let result = try body(connection)
            connection.close()
            return result
        }
    }
}
