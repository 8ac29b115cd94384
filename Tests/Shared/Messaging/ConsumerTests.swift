import AMQP
import JSON
import Loop
import Messaging
import Postgres
import Primitives
import TestSupport
import Testing

struct ConsumerTests {
    struct Fails: Error {}

    @Test func `A redelivered event has one effect`() async throws {
        try await Workbench.with { bench in
            let publisher = try await bench.publisher()
            let message = bench.message("once")
            for _ in 0..<3 { try await publisher.deliver([message]) }
            let messenger = bench.serve()
            try await until("all three are dealt with") {
                messenger.consumer.metrics.handled + messenger.consumer.metrics.duplicates == 3
            }
            #expect(messenger.consumer.metrics.duplicates == 2)
            #expect(try await bench.effects == ["once"])
            publisher.stop()
        }
    }

    @Test func `What keeps failing is tried again, then parked, and its neighbours do not notice`() async throws {
        try await Workbench.with { bench in
            bench.also = { event, _ in if event.thing == "bad" { throw Fails() } }
            let messenger = bench.serve()
            try await bench.announce("a", "bad", "b", "c")
            try await until("it is parked") { messenger.consumer.metrics.parked == 1 }
            #expect(bench.runs.filter { $0 == "bad" }.count == 3)
            #expect(try await bench.effects.sorted() == ["a", "b", "c"])
            try await until("the broker has counted") { try await bench.count(bench.queues.parking) == 1 }
            await messenger.consumer.measure()
            #expect(messenger.consumer.metrics.parking[bench.queues.parking] == 1)

            // The cause is mended: redriving gives it all its attempts again, and the audit trail says so.
            bench.also = { _, _ in }
            let moved = try await Redrive.run(
                reaction: bench.reaction, service: "test", db: bench.test.db, amqp: TestServers.broker())
            #expect(moved == 1)
            try await until("the effect") { try await bench.effects.contains("bad") }
            #expect(try await bench.count(bench.queues.parking) == 0)
            let audited = try await bench.test.db.systemTransaction { tx in
                try await tx.first(
                    "select count(*) from outbox where data ->> 'action' = 'redrive' and subject = \(bench.reaction)",
                    as: { row in try row.next(as: Int.self) })
            }
            #expect(audited == 1)
        }
    }

    @Test func `A rejected event is parked at once`() async throws {
        try await Workbench.with { bench in
            bench.also = { _, _ in throw Redelivery.reject }
            let messenger = bench.serve()
            try await bench.announce("never")
            try await until("it is parked") { messenger.consumer.metrics.parked == 1 }
            #expect(bench.runs == ["never"])
            #expect(try await bench.effects == [])
        }
    }

    @Test func `What is no event is parked and stops nobody`() async throws {
        try await Workbench.with { bench in
            let publisher = try await bench.publisher()
            var garbage = bench.message("x")
            garbage.body = Array("{\"specversion\":".utf8)
            try await publisher.deliver([garbage, bench.message("good")])
            let messenger = bench.serve()
            try await until("the good one") { try await bench.effects == ["good"] }
            try await until("it is parked") { messenger.consumer.metrics.parked == 1 }
            try await until("the broker has counted") { try await bench.count(bench.queues.parking) == 1 }
            publisher.stop()
        }
    }

    @Test func `A consumer that loses its connection in the middle loses nothing and repeats nothing`() async throws {
        let direct = try TestServers.broker()
        let proxy = FaultProxy(host: direct.host, port: direct.port)
        var behind = direct
        (behind.host, behind.port) = ("127.0.0.1", proxy.port)
        try await Workbench.with(broker: behind) { bench in
            let publisher = try await bench.publisher()
            bench.also = { event, _ in
                // Cut after the work, before the commit, so that the ack cannot arrive.
                if event.thing == "5" || event.thing == "11" { proxy.cut() }
            }
            try await publisher.deliver((0..<20).map { bench.message("\($0)") })
            let messenger = bench.serve()
            try await until("the cut is noticed") { !messenger.consumer.isConnected && bench.runs.contains("5") }
            bench.also = { _, _ in }
            proxy.mend()
            try await until("all effects") { try await bench.effects.count >= 20 }
            try await until("the queue is empty") { try await bench.count(bench.queues.work) == 0 }
            #expect(try await bench.effects.count == 20)
            #expect(try await Set(bench.effects).count == 20)
            publisher.stop()
        }
    }

    @Test func `A message that was with consumers that died is handled alone`() async throws {
        try await Workbench.with { bench in
            let publisher = try await bench.publisher()
            try await publisher.deliver([bench.message("suspect")])
            publisher.stop()
            for _ in 0..<2 {
                let victim = Subscriber(bench.amqp, name: "victim", from: [.init(bench.queues.work)])
                nonisolated(unsafe) var got = false
                victim.start { _ in got = true }
                try await until("the victim has it") { got }
                victim.stop()
                try await until("it is back") { try await bench.count(bench.queues.work) == 1 }
            }
            let messenger = bench.serve()
            try await until("its effect") { try await bench.effects == ["suspect"] }
            try await until("it is counted") { messenger.consumer.metrics.handled == 1 }
            #expect(messenger.consumer.metrics.isolated == 1)
        }
    }

    @Test func `A message that ended three processes is parked, one that was only held by them is handled`() async throws {
        try await Workbench.with { bench in
            let publisher = try await bench.publisher()
            for thing in ["poison", "innocent"] {
                var message = bench.message(thing)
                (message.exchange, message.routingKey) = ("", bench.queues.alone)
                try await publisher.deliver([message])
            }
            publisher.stop()
            // Processes that get the first message and die, more than three. Three of them had begun to handle it.
            for turn in 0..<6 {
                let victim = Subscriber(bench.amqp, name: "victim", from: [.init(bench.queues.alone, prefetch: 1)])
                nonisolated(unsafe) var got: [Delivery] = []
                victim.start { got.append($0) }
                try await until("the victim has it") { !got.isEmpty }
                let envelope = try CloudEvent(got[0].body).envelope
                #expect(envelope.subject == "poison")
                if turn < 3 {
                    try await bench.test.db.systemTransaction { tx in
                        try await tx.run(
                            """
                            insert into isolation (reaction, event_id) values (\(bench.queues.work), \(envelope.id))
                            on conflict (reaction, event_id) do update set starts = isolation.starts + 1
                            """)
                    }
                }
                victim.stop()
                try await until("it is back") { try await bench.count(bench.queues.alone) == 2 }
            }
            bench.serve()
            try await until("it is parked") { try await bench.count(bench.queues.parking) == 1 }
            try await until("the innocent's effect") { try await bench.effects == ["innocent"] }
            try await until("nothing is counted any more") {
                try await bench.test.db.systemReader.all("select event_id from isolation", as: { try $0.next(as: EventID.self) }).isEmpty
            }
        }
    }

    @Test func `Events of one subject are handled in order, those of others beside them`() async throws {
        try await Workbench.with { bench in
            bench.also = { event, _ in
                if event.thing == "slow" { try await EventLoop.sleep(for: .milliseconds(50)) }
            }
            let publisher = try await bench.publisher()
            try await publisher.deliver((0..<4).flatMap { [bench.message("slow"), bench.message("fast\($0)")] })
            bench.serve()
            try await until("all effects") { try await bench.effects.count == 8 }
            // Four slow ones in a row take 200 ms; the fast ones need not wait for them.
            #expect(bench.runs.prefix(6).filter { $0.hasPrefix("fast") }.count >= 3)
            publisher.stop()
        }
    }

    @Test func `A reaction that takes too long is cancelled and tried again`() async throws {
        try await Workbench.with(deadline: .milliseconds(100)) { bench in
            let messenger = bench.serve()
            bench.also = { _, _ in
                if bench.runs.count == 1 { try await EventLoop.sleep(for: .seconds(30)) }
            }
            try await bench.announce("patience")
            try await until("its effect") { try await bench.effects == ["patience"] }
            #expect(messenger.consumer.metrics.retried == 1)
        }
    }

    @Test func `While the database is away an event keeps its attempts`() async throws {
        try await Workbench.with { bench in
            var configuration = bench.test.configuration
            let proxy = FaultProxy(host: configuration.host, port: configuration.port)
            (configuration.host, configuration.port) = ("127.0.0.1", proxy.port)
            let db = Database(configuration)
            db.start()
            let messenger = bench.serve(db: db)
            let publisher = try await bench.publisher()
            try await publisher.deliver([bench.message("before")])
            try await until("the first effect") { try await bench.effects == ["before"] }
            proxy.cut()
            try await publisher.deliver([bench.message("during")])
            try await EventLoop.sleep(for: .milliseconds(700))
            #expect(try await bench.effects == ["before"])
            proxy.mend()
            try await until("the second effect") { try await bench.effects == ["before", "during"] }
            #expect(messenger.consumer.metrics.retried == 0)
            #expect(messenger.consumer.metrics.parked == 0)
            publisher.stop()
            await messenger.drain()
            db.close()
        }
    }

    @Test func `A reaction's own facts follow the trace and the actor of what caused them`() async throws {
        try await Workbench.with { bench in
            bench.also = { event, tx in if event.thing == "cause" { try tx.announce(Happened("effect"), revision: 1) } }
            bench.serve()
            let cause = Cause(tenant: bench.test.tenant, actor: AccountID(), role: "doctor", traceparent: Traceparent.fresh())
            try await bench.test.db.transaction(for: cause.tenant) { tx in
                tx.context = cause
                try tx.announce(Happened("cause"), revision: 1)
            }
            try await until("both") { try await bench.effects == ["cause", "effect"] }
            let rows = try await bench.test.db.systemTransaction { tx in
                try await tx.all(
                    "select actor, traceparent from outbox order by seq",
                    as: { row in (try row.next(as: AccountID.self), try row.next(as: String.self)) })
            }
            #expect(rows.map(\.0) == [cause.actor, cause.actor])
            #expect(rows.map { $0.1.prefix(35) } == [cause.traceparent.prefix(35), cause.traceparent.prefix(35)])
            #expect(rows.last?.1 != cause.traceparent)
        }
    }

    @Test func `A revision is news once, and an older one never`() async throws {
        try await Workbench.with { bench in
            @LoopActor func envelope(_ revision: Int) -> Envelope {
                Envelope(
                    id: EventID(), name: Happened.name, tenant: bench.test.tenant, subject: "s", revision: revision,
                    occurredAt: .now(), actor: nil, traceparent: Traceparent.fresh())
            }
            let news = try await bench.test.db.transaction(for: bench.test.tenant) { tx in
                var news: [Bool] = []
                for revision in [2, 2, 1, 3] { news.append(try await tx.isNews(envelope(revision), to: "r")) }
                return news
            }
            #expect(news == [true, false, false, true])
        }
    }
}
