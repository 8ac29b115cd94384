import AMQP
import Loop
import TestSupport
import Testing

/// Against the broker that `TEST_AMQP_*` names. Every test has queues of its own and removes them.
struct BrokerTests {
    @Test func `A published message arrives once and is gone after its ack`() async throws {
        try await onLoop {
            let test = try await TestBroker.open()
            let inbox = Mailbox()
            let subscriber = Subscriber(test.configuration, name: "test", from: [.init(test.work)])
            subscriber.start { delivery in
                inbox.take(delivery)
                subscriber.acknowledge(delivery.tag)
            }
            let publisher = try await test.publisher()

            let outcomes = try await publisher.publish((0..<300).map { test.message("\($0)") })

            #expect(outcomes == Array(repeating: .confirmed, count: 300))
            try await until { inbox.bodies.count == 300 }
            #expect(inbox.bodies == (0..<300).map { "\($0)" })
            #expect(inbox.last?.headers["x-attempts"] == 3)
            #expect(inbox.last?.contentType == "text/plain")
            try await Task.sleep(for: .milliseconds(50))
            subscriber.stop()
            publisher.stop()
            #expect(try await Broker.counts(of: [test.work], on: test.configuration) == [test.work: 0])
            try await test.close()
        }
    }

    @Test func `A message that no queue wants comes back, and its neighbours are confirmed`() async throws {
        try await onLoop {
            let test = try await TestBroker.open()
            let publisher = try await test.publisher()
            var lost = test.message("lost")
            lost.routingKey = "nobody"
            lost.messageID = "lost"
            let outcomes = try await publisher.publish([test.message("a"), lost, test.message("b")])
            #expect(outcomes == [.confirmed, .returned, .confirmed])
            publisher.stop()
            try await test.close()
        }
    }

    @Test func `A full queue refuses`() async throws {
        try await onLoop {
            let test = try await TestBroker.open(maximumLength: 1)
            let publisher = try await test.publisher()
            var refusals = 0
            // Quorum queues let a few more in than the limit says.
            for number in 0..<20 {
                refusals += try await publisher.publish([test.message("\(number)")]).filter { $0 == .nacked }.count
            }
            #expect(refusals > 10)
            publisher.stop()
            try await test.close()
        }
    }

    @Test func `What a stopped consumer did not ack is delivered again, counted`() async throws {
        try await onLoop {
            let test = try await TestBroker.open()
            let publisher = try await test.publisher()
            _ = try await publisher.publish([test.message("one")])
            let first = Mailbox()
            let second = Mailbox()

            let forgetful = Subscriber(test.configuration, name: "forgetful", from: [.init(test.work)])
            forgetful.start { first.take($0) }
            try await until { first.bodies == ["one"] }
            forgetful.stop()
            let careful = Subscriber(test.configuration, name: "careful", from: [.init(test.work)])
            careful.start { second.take($0) }

            try await until { second.bodies == ["one"] }
            #expect(first.last?.deliveryCount == 0)
            #expect(second.last?.deliveryCount == 1)
            // The tag of the connection that is gone acknowledges nothing.
            if let tag = first.last?.tag { careful.acknowledge(tag) }
            careful.stop()
            publisher.stop()
            try await test.close()
        }
    }

    @Test func `No more than the prefetch is handed out unacknowledged`() async throws {
        try await onLoop {
            let test = try await TestBroker.open()
            let publisher = try await test.publisher()
            _ = try await publisher.publish((0..<30).map { test.message("\($0)") })
            let inbox = Mailbox()
            let subscriber = Subscriber(test.configuration, name: "test", from: [.init(test.work, prefetch: 3)])
            subscriber.start { inbox.take($0) }
            try await until { inbox.bodies.count == 3 }
            try await Task.sleep(for: .milliseconds(200))
            #expect(inbox.bodies.count == 3)
            subscriber.stop()
            publisher.stop()
            try await test.close()
        }
    }

    @Test func `A retry queue gives its messages back after its time`() async throws {
        try await onLoop {
            let test = try await TestBroker.open()
            let publisher = try await test.publisher()
            var message = test.message("later")
            message.exchange = ""
            message.routingKey = test.retry
            #expect(try await publisher.publish([message]) == [.confirmed])
            let inbox = Mailbox()
            let subscriber = Subscriber(test.configuration, name: "test", from: [.init(test.work)])
            subscriber.start { inbox.take($0) }
            try await until { inbox.bodies == ["later"] }
            subscriber.stop()
            publisher.stop()
            try await test.close()
        }
    }

    @Test func `Publishing without a broker fails at once`() async throws {
        try await onLoop {
            var nowhere = try TestServers.broker()
            nowhere.port = 1
            let publisher = Publisher(nowhere, name: "test")
            publisher.start()
            await #expect(throws: AMQPError.self) {
                try await publisher.publish([.init(exchange: "", routingKey: "x", messageID: "1", contentType: "", body: [])])
            }
            publisher.stop()
        }
    }

    @Test func `A wrong password is refused with a reason`() async throws {
        try await onLoop {
            var wrong = try TestServers.broker()
            wrong.password = "wrong"
            await #expect(throws: AMQPError.self) { try await Broker.counts(of: [], on: wrong) }
        }
    }

    @Test func `Moving empties the source into the target and drops the named headers`() async throws {
        try await onLoop {
            let test = try await TestBroker.open()
            let publisher = try await test.publisher()
            _ = try await publisher.publish((0..<5).map { test.message("\($0)") })
            let moved = try await Broker.move(
                from: test.work, to: test.parking, limit: 3, dropping: ["x-attempts"], on: test.configuration)
            #expect(moved.map { String(decoding: $0, as: UTF8.self) } == ["0", "1", "2"])
            #expect(
                try await Broker.counts(of: [test.work, test.parking], on: test.configuration)
                    == [test.work: 2, test.parking: 3])
            publisher.stop()
            try await test.close()
        }
    }
}

/// What a subscriber handed over, for a test to look at.
@LoopActor final class Mailbox {
    private(set) var deliveries: [Delivery] = []
    var bodies: [String] { deliveries.map { String(decoding: $0.body, as: UTF8.self) } }
    var last: Delivery? { deliveries.last }
    func take(_ delivery: Delivery) { deliveries.append(delivery) }
}

/// An exchange and some queues under names that no other test has.
@LoopActor struct TestBroker {
    let configuration: AMQPConfiguration
    let name: String
    let topology: Topology
    var work: String { name + ".work" }
    var retry: String { name + ".retry" }
    var parking: String { name + ".parking" }

    static func open(maximumLength: Int64 = 1000) async throws -> TestBroker {
        let name = "test-" + String(UInt64.random(in: 0 ... .max), radix: 36)
        let work = name + ".work"
        let topology = Topology(
            exchanges: [.init(name, kind: "topic")],
            queues: [
                .init(quorum: work, end: .movesTo(name + ".parking"), maximumLength: maximumLength, deliveryLimit: 20),
                .init(quorum: name + ".retry", end: .movesTo(work), maximumLength: 100, timeToLive: .milliseconds(300)),
                .init(quorum: name + ".parking", end: .stays),
            ],
            bindings: [.init(queue: work, exchange: name, key: "to.work")])
        let configuration = try TestServers.broker()
        try await Broker.declare(topology, on: configuration)
        return TestBroker(configuration: configuration, name: name, topology: topology)
    }

    func publisher() async throws -> Publisher {
        let publisher = Publisher(configuration, name: "test", topology: topology)
        publisher.start()
        try await until { publisher.isConnected }
        return publisher
    }

    func message(_ body: String) -> OutgoingMessage {
        OutgoingMessage(
            exchange: name, routingKey: "to.work", messageID: body, contentType: "text/plain",
            headers: ["x-attempts": 3, "x-word": "hello", "x-flag": .flag(true)], body: Array(body.utf8))
    }

    func close() async throws { try await Broker.remove(topology, on: configuration) }
}

/// Looks again and again until it is so; fails after ten seconds.
@LoopActor func until(_ isSo: @LoopActor () async throws -> Bool) async throws {
    for _ in 0..<1000 {
        if try await isSo() { return }
        try await EventLoop.sleep(for: .milliseconds(10))
    }
    Issue.record("it never became so")
    throw AMQPError.unavailable("it never became so")
}
