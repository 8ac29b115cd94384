import AMQP
import JSON
import Loop
import Messaging
import Postgres
import Primitives
import TestSupport
import Testing

struct OutboxTests {
    @Test func `An event leaves if and only if its transaction commits`() async throws {
        try await Workbench.with { bench in
            bench.serve()
            struct ChangedMyMind: Error {}
            try await bench.announce("kept")
            await #expect(throws: ChangedMyMind.self) {
                try await bench.test.db.transaction(for: bench.test.tenant) { tx in
                    try tx.announce(Happened("dropped"), revision: 1)
                    try await tx.run("select 1")
                    throw ChangedMyMind()
                }
            }
            try await bench.announce("kept too")
            try await until("both effects") { try await bench.effects.count == 2 }
            #expect(try await Set(bench.effects) == ["kept", "kept too"])
        }
    }

    @Test func `The rows of a transaction are written by one statement, in the order of announcing`() async throws {
        try await Workbench.with { bench in
            try await bench.announce("c", "a", "b")
            let rows = try await bench.test.db.systemTransaction { tx in
                try await tx.all(
                    "select subject, tenant_id, xmin::text from outbox order by seq",
                    as: { row in
                        (try row.next(as: String.self), try row.next(as: TenantID.self), try row.next(as: String.self))
                    })
            }
            #expect(rows.map(\.0) == ["c", "a", "b"])
            #expect(rows.allSatisfy { $0.1 == bench.test.tenant })
            #expect(Set(rows.map(\.2)).count == 1)
        }
    }

    @Test func `What was not published cannot be deleted, what was can`() async throws {
        try await Workbench.with { bench in
            try await bench.announce("on its way")
            await #expect(throws: PostgresError.self) {
                try await bench.test.db.systemTransaction { tx in _ = try await tx.run("delete from outbox") }
            }
            try await bench.test.db.systemTransaction { tx in
                _ = try await tx.run("update outbox set published_at = now()")
                #expect(try await tx.run("delete from outbox") == 1)
            }
        }
    }

    @Test func `The same fact about the same revision is refused, revision 0 may repeat`() async throws {
        try await Workbench.with { bench in
            try await bench.announce("x", revision: 2)
            await #expect(throws: PostgresError.self) { try await bench.announce("x", revision: 2) }
            try await bench.announce("x", revision: 3)
            try await bench.announce("x", "x", revision: 0)
        }
    }

    @Test func `An audit entry says who, in what role, and travels with the change`() async throws {
        try await Workbench.with { bench in
            let actor = AccountID()
            let tenant = bench.test.tenant
            let cause = Cause(tenant: tenant, actor: actor, role: "reception", traceparent: Traceparent.fresh())
            try await bench.test.db.transaction(for: tenant) { tx in
                tx.context = cause
                try tx.announce(Happened("x"), revision: 1)
                try tx.audit("change", "thing", "x", after: JSONObject([("status", .string("new"))]))
            }
            try await Audit.denied("read", "thing", "x", cause: cause, in: bench.test.db)
            let entries = try await bench.test.db.systemTransaction { tx in
                try await tx.all(
                    """
                    select actor, traceparent, data ->> 'role', data ->> 'allowed', data -> 'after' ->> 'status'
                    from outbox where type = 'audit.entry.recorded.v1' order by seq
                    """,
                    as: { row in
                        let actor = try row.next(as: AccountID.self)
                        let trace = try row.next(as: String.self)
                        return (
                            actor, trace, try row.next(as: String.self), try row.next(as: String.self),
                            try row.next(as: String?.self)
                        )
                    })
            }
            #expect(entries.map(\.0) == [actor, actor])
            #expect(entries.map(\.1) == [cause.traceparent, cause.traceparent])
            #expect(entries.map(\.2) == ["reception", "reception"])
            #expect(entries.map(\.3) == ["true", "false"])
            #expect(entries.map(\.4) == ["new", nil])
        }
    }

    @Test func `Without a broker events wait, and afterwards each has one effect`() async throws {
        let direct = try TestServers.broker()
        let proxy = FaultProxy(host: direct.host, port: direct.port)
        var behind = direct
        (behind.host, behind.port) = ("127.0.0.1", proxy.port)
        try await Workbench.with(broker: behind) { bench in
            let messenger = bench.serve()
            try await bench.announce("before")
            try await until("the first effect") { try await bench.effects == ["before"] }
            proxy.cut()
            try await until("the loss is noticed") { !messenger.publisher.isConnected }
            for number in 0..<20 { try await bench.announce("\(number)") }
            try await EventLoop.sleep(for: .milliseconds(1200))
            #expect(messenger.relay.metrics.oldestUnpublished > .zero)
            proxy.mend()
            try await until("all effects") { try await bench.effects.count == 21 }
            #expect(try await Set(bench.effects).count == 21)
        }
    }

    @Test func `Two relays publish each event once and in order`() async throws {
        try await Workbench.with { bench in
            for number in 0..<40 { try await bench.announce("\(number)") }
            let publishers = [try await bench.publisher(), try await bench.publisher()]
            let relays = publishers.map {
                OutboxRelay(service: "test", db: bench.test.db, publisher: $0, settings: bench.settings)
            }
            let tasks = relays.map { relay in EventLoop.spawn { for _ in 0..<20 { try await relay.drain() } } }
            for task in tasks { try await task.value }
            #expect(relays.map(\.metrics.published).reduce(0, +) == 40)
            let bodies = try await Broker.move(
                from: bench.queues.work, to: bench.queues.parking, limit: 100, dropping: [], on: TestServers.broker())
            #expect(try bodies.map { try CloudEvent($0).envelope.subject } == (0..<40).map { "\($0)" })
            for publisher in publishers { publisher.stop() }
        }
    }

    @Test func `An event that nobody reacts to has left, and can be looked at for a while`() async throws {
        try await Workbench.with { bench in
            struct Ignored: Event {
                static let name: EventName = "test.thing.ignored.v1"
                var subject: String { "s" }
                init() {}
                init(data: JSONObject) throws {}
                func write(to json: inout JSONWriter) { json.object { _ in } }
            }
            let messenger = bench.serve()
            try await bench.test.db.transaction(for: bench.test.tenant) { tx in
                try tx.announce(Ignored(), revision: 1)
            }
            try await until("published") { messenger.relay.metrics.published == 1 }
            try await until("the broker has counted") { try await bench.count(bench.settings.exchange + ".unrouted") == 1 }
        }
    }

    @Test func `A replay sends everything again and changes nothing`() async throws {
        try await Workbench.with { bench in
            let messenger = bench.serve()
            try await bench.announce("a", "b")
            try await until("two effects") { messenger.consumer.metrics.handled == 2 }
            // The reaction may be done before the relay has committed that it published.
            try await until("both are marked") {
                try await bench.test.db.systemTransaction { tx in
                    try await tx.first(
                        "select count(*) from outbox where published_at is not null",
                        as: { row in try row.next(as: Int.self) })
                } == 2
            }
            let count = try await messenger.relay.replay(since: Timestamp.now().adding(seconds: -60))
            #expect(count == 2)
            try await until("two duplicates") { messenger.consumer.metrics.duplicates == 2 }
            #expect(try await bench.effects.count == 2)
        }
    }

    @Test func `Housekeeping removes what is old and keeps what is not`() async throws {
        try await Workbench.with { bench in
            try await bench.announce("old", "new", "unpublished")
            try await bench.test.asOwner(
                """
                update outbox set published_at = now() - interval '8 days' where subject = 'old';
                update outbox set published_at = now() where subject = 'new';
                insert into inbox (reaction, event_id, received_at) values
                    ('r', gen_random_uuid(), now() - interval '31 days'), ('r', gen_random_uuid(), now());
                insert into revoked_account (account_id, tenant_id, valid_from, expires_at) values
                    (gen_random_uuid(), gen_random_uuid(), now(), now() - interval '1 s');
                """)
            try await bench.test.db.transaction(for: bench.test.tenant) { tx in
                try await tx.run(
                    """
                    insert into idempotency (account_id, key, request_hash, answer, expires_at) values
                        (gen_random_uuid(), 'a', '', '', now() - interval '1 s'),
                        (gen_random_uuid(), 'b', '', '', now() + interval '1 h')
                    """)
            }
            #expect(try await Housekeeping(db: bench.test.db).sweep() == 4)
            #expect(try await Housekeeping(db: bench.test.db).sweep() == 0)
        }
    }
}
