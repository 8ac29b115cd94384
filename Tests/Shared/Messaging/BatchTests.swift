import AMQP
import Loop
import Messaging
import Postgres
import Primitives
import TestSupport
import Testing

/// Reactions that take what waits for them in one transaction.
struct BatchTests {
    struct Fails: Error {}

    @Test func `What waits together has its effects in one transaction, in the order of delivery`() async throws {
        try await Workbench.with { bench in
            let publisher = try await bench.publisher()
            let things = (0..<40).map { "\($0 % 4)/\($0)" }
            try await publisher.deliver(things.map { bench.message($0) })
            let messenger = bench.serve(takingMany: true)
            try await until("all effects") { messenger.consumer.metrics.handled == 40 }
            #expect(try await bench.effects == things)
            #expect(messenger.consumer.metrics.batches > 0)
            let transactions = try await bench.test.db.reader(for: bench.test.tenant).first(
                "select count(distinct xmin::text) from effect", as: { row in try row.next(as: Int.self) })
            #expect(try #require(transactions) < 40)
            try await until("the broker knows") { try await bench.count(bench.queues.work) == 0 }
            publisher.stop()
        }
    }

    /// With 64 at a time and a rest before each, a reaction handled some 800 a second, however idle the machine was.
    @Test func `Hundreds that wait take a few transactions, so a reaction catches up`() async throws {
        try await Workbench.with { bench in
            let publisher = try await bench.publisher()
            try await publisher.deliver((0..<768).map { bench.message("\($0)") })
            let messenger = bench.serve(takingMany: true)
            try await until("all effects") { messenger.consumer.metrics.handled == 768 }
            #expect(messenger.consumer.metrics.batches < 8)
            publisher.stop()
        }
    }

    @Test func `One bad event among forty good ones is parked alone`() async throws {
        try await Workbench.with { bench in
            bench.also = { event, _ in if event.thing == "bad" { throw Fails() } }
            let publisher = try await bench.publisher()
            let things = (0..<20).map { "\($0)" } + ["bad"] + (20..<40).map { "\($0)" }
            try await publisher.deliver(things.map { bench.message($0) })
            let messenger = bench.serve(takingMany: true)
            try await until("it is parked") { messenger.consumer.metrics.parked == 1 }
            try await until("the others' effects") { messenger.consumer.metrics.handled == 40 }
            #expect(try await bench.effects == things.filter { $0 != "bad" })
            try await until("the broker has counted") { try await bench.count(bench.queues.parking) == 1 }
            #expect(messenger.consumer.metrics.retried == 2)
            publisher.stop()
        }
    }

    @Test func `What is no fact of this kind is parked alone`() async throws {
        try await Workbench.with { bench in
            let publisher = try await bench.publisher()
            var garbage = bench.message("x")
            let text = String(decoding: garbage.body, as: UTF8.self)
            garbage.body = Array("\(text.prefix { $0 != "}" })".split(separator: "\"thing\"")[0].utf8) + Array("\"other\":1}}".utf8)
            try await publisher.deliver([bench.message("a"), garbage, bench.message("b")])
            let messenger = bench.serve(takingMany: true)
            try await until("it is parked") { messenger.consumer.metrics.parked == 1 }
            #expect(try await bench.effects == ["a", "b"])
            publisher.stop()
        }
    }

    @Test func `An event that comes twice in a batch, and again later, has one effect`() async throws {
        try await Workbench.with { bench in
            let publisher = try await bench.publisher()
            let twice = bench.message("twice")
            try await publisher.deliver([bench.message("a"), twice, bench.message("b")])
            try await publisher.deliver([twice])
            try await publisher.deliver([bench.message("c")])
            let messenger = bench.serve(takingMany: true)
            try await until("all are dealt with") {
                messenger.consumer.metrics.handled + messenger.consumer.metrics.duplicates == 5
            }
            try await publisher.deliver([twice])
            try await publisher.deliver([bench.message("d")])
            try await until("the last") { messenger.consumer.metrics.handled == 5 }
            #expect(messenger.consumer.metrics.duplicates == 2)
            #expect(try await bench.effects == ["a", "twice", "b", "c", "d"])
            publisher.stop()
        }
    }

    @Test func `A consumer that is cut off in the middle of batches loses nothing and repeats nothing`() async throws {
        let direct = try TestServers.broker()
        let proxy = FaultProxy(host: direct.host, port: direct.port)
        var behind = direct
        (behind.host, behind.port) = ("127.0.0.1", proxy.port)
        try await Workbench.with(broker: behind) { bench in
            let publisher = try await bench.publisher()
            // After the work, before the commit: the batch is kept, and the broker is never told.
            bench.also = { event, _ in if event.thing == "300" { proxy.cut() } }
            try await publisher.deliver((0..<400).map { bench.message("\($0)") })
            let messenger = bench.serve(takingMany: true)
            try await until("the cut is noticed") { !messenger.consumer.isConnected && bench.runs.contains("300") }
            bench.also = { _, _ in }
            proxy.mend()
            try await until("all effects") { try await bench.effects.count >= 400 }
            // The broker gives the batch once more, when it has noticed.
            try await until("they came again") { messenger.consumer.metrics.duplicates > 0 }
            try await until("the queue is empty") { try await bench.count(bench.queues.work) == 0 }
            #expect(try await bench.effects.count == 400)
            #expect(try await Set(bench.effects).count == 400)
            publisher.stop()
        }
    }

    @Test func `A batch that cannot be committed is not acknowledged`() async throws {
        try await Workbench.with { bench in
            let publisher = try await bench.publisher()
            try await publisher.deliver((0..<10).map { bench.message("\($0)") })
            // Refused when the transaction ends: all statements of the batch had gone well.
            try await bench.test.asOwner(
                """
                create function refuse() returns trigger language plpgsql as $$ begin raise 'not today'; end $$;
                create constraint trigger late after insert on effect deferrable initially deferred
                    for each row execute function refuse();
                """)
            let messenger = bench.serve(takingMany: true)
            try await until("all are parked") { messenger.consumer.metrics.parked == 10 }
            #expect(try await bench.effects == [])
            #expect(messenger.consumer.metrics.handled == 0)
            try await until("the broker has counted") { try await bench.count(bench.queues.parking) == 10 }
            publisher.stop()
        }
    }

    @Test func `Of each subject the newest revision is left, in the order of subjects`() {
        func fact(_ thing: String, _ revision: Int) -> Fact<Happened> {
            Fact(
                event: Happened(thing),
                envelope: Envelope(
                    id: EventID(), name: Happened.name, tenant: TenantID(), subject: thing, revision: revision,
                    occurredAt: .now(), actor: nil, traceparent: ""))
        }
        let left = [fact("b", 2), fact("a", 0), fact("b", 1), fact("b", 3), fact("a", 0)].newest()
        #expect(left.map(\.event.thing) == ["a", "b"])
        #expect(left.map(\.envelope.revision) == [0, 3])
    }
}
