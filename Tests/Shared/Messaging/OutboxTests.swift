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

    @Test func `An audit fact that its service calls published and removes is still counted out`() async throws {
        try await Workbench.with { bench in
            let db = bench.test.db
            let cause = Cause(tenant: bench.test.tenant, actor: AccountID(), role: "doctor", traceparent: Traceparent.fresh())
            for _ in 1...3 { try await Audit.denied("read", "visit", "x", cause: cause, in: db) }
            try await AccessLog(db).record([
                AccessLog.Entry("read", "visit", "v", of: nil, allowed: true, after: nil, cause: cause, at: Timestamp.now())
            ])
            // The lie: nothing was published. In two statements and with a detour, so that no way around is left.
            try await db.systemTransaction { tx in
                _ = try await tx.run("update outbox set published_at = now() where type = 'audit.entry.recorded.v1' and seq = 1")
                _ = try await tx.run("update outbox set published_at = now()")
                _ = try await tx.run("update outbox set published_at = null")
            }
            let facts = try await db.systemTransaction { tx in
                try await tx.all(
                    "select coalesce(data -> 'entries' -> 0 ->> 'id', id::text) from outbox order by seq", as: { try $0.next(as: String.self) })
            }
            try await Housekeeping(db: db).tell()
            try await Audit.denied("read", "visit", "y", cause: cause, in: db)
            try await db.systemTransaction { tx in
                _ = try await tx.run("update outbox set published_at = now()")
                _ = try await tx.run("update outbox set published_at = null where type <> 'audit.facts.sent.v1'")
            }
            try await Housekeeping(db: db).tell()
            let told = try await db.systemTransaction { tx in
                try await tx.all(
                    """
                    select tenant_id, data ->> 'number', data ->> 'service', array_to_string(array(
                        select json_array_elements_text(data -> 'ids') order by 1), ' ')
                    from outbox where type = 'audit.facts.sent.v1' order by seq
                    """,
                    as: { row in
                        (try row.next(as: TenantID.self), "\(try row.next(as: String.self)) \(try row.next(as: String.self))",
                         try row.next(as: String.self))
                    })
            }
            #expect(told.map(\.0) == [bench.test.tenant, bench.test.tenant])
            #expect(told.map(\.1) == ["1 \(bench.test.schema)", "2 \(bench.test.schema)"])
            #expect(told.first?.2 == facts.sorted().joined(separator: " "))
        }
    }

    @Test func `A service neither touches the count, nor announces one, nor removes an audit fact within a day`() async throws {
        try await Workbench.with { bench in
            let cause = Cause(tenant: bench.test.tenant, actor: nil, role: "doctor", traceparent: Traceparent.fresh())
            try await Audit.denied("read", "visit", "x", cause: cause, in: bench.test.db)
            try await bench.test.db.systemTransaction { tx in
                _ = try await tx.run("update outbox set published_at = now()")
            }
            let refused: [SQL] = [
                "delete from outbox", "delete from outbox_sent", "update outbox_told set number = 1", "truncate outbox_sent",
                "insert into outbox_sent (tenant_id, ids) values (gen_random_uuid(), '{}')",
                "update outbox set published_at = now() - interval '8 days'",
                """
                insert into outbox (id, tenant_id, type, subject, revision, traceparent, data, occurred_at)
                values (gen_random_uuid(), gen_random_uuid(), 'audit.facts.sent.v1', 's', 0, '', '{}', now())
                """,
            ]
            for statement in refused {
                do {
                    try await bench.test.db.systemTransaction { tx in _ = try await tx.run(statement) }
                    Issue.record("went through: \(statement)")
                } catch let error as PostgresError {
                    #expect(error.sqlState == "42501", "\(statement): \(error)")
                }
            }
            // A day later it may go, and is in the count all the same.
            try await bench.test.asOwner(
                """
                alter table outbox disable trigger user; update outbox set published_at = now() - interval '25 hours';
                alter table outbox enable trigger user
                """)
            let gone = try await bench.test.db.systemTransaction { tx in try await tx.run("delete from outbox") }
            #expect(gone == 1)
            try await Housekeeping(db: bench.test.db).tell()
            let told = try await bench.test.db.systemTransaction { tx in
                try await tx.all("select type from outbox", as: { try $0.next(as: String.self) })
            }
            #expect(told == ["audit.facts.sent.v1"])
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
            try await until("somebody can see that they wait") { messenger.relay.metrics.oldestUnpublished > .zero }
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

    @Test func `Audit entries of a tenant that leave together travel as one message, and what the trail cannot read travels alone`() async throws {
        try await Workbench.with { bench in
            let (own, other) = (bench.test.tenant, TenantID())
            let entry = """
                {"service":"test","action":"change","resource":"thing","resourceId":"7","role":"reception","allowed":true,
                 "before":{"version":1},"after":{"version":2},"patientId":null,"purpose":"TREAT"}
                """
            let rows = [(own, entry), (other, entry), (own, entry), (own, "{}"), (own, entry.replacing("\"test\"", with: "\"another\"")), (own, entry)]
            let written = try await bench.test.db.systemTransaction { tx in
                try await tx.all(
                    """
                    insert into outbox (id, tenant_id, type, subject, revision, actor, traceparent, data, occurred_at)
                    select gen_random_uuid(), tenant, 'audit.entry.recorded.v1', '7', 0, tenant,
                           '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', data, '2026-11-29T10:00:00Z'
                    from unnest(\(rows.map(\.0))::uuid[], \(rows.map(\.1))::json[]) with ordinality as r (tenant, data, place) order by place
                    returning id
                    """, as: { try $0.next(as: EventID.self) })
            }
            let messenger = bench.serve()
            try await until("all have left") { messenger.relay.metrics.published == rows.count }
            let sent = try await Broker.move(
                from: bench.settings.exchange + ".unrouted", to: bench.queues.parking, limit: 10, dropping: [], on: TestServers.broker()
            ).map { try CloudEvent($0) }
            #expect(sent.map(\.envelope.name.text) == ["access", "entry", "entry", "entry"].map { "audit.\($0).recorded.v1" })
            #expect(sent.dropFirst().map(\.envelope.id) == [written[1], written[3], written[4]])
            let together = try #require(sent.first)
            #expect(together.envelope.tenant == own)
            #expect(together.data["service"] == .string("test"))
            let entries = try together.data.required("entries", as: [JSONObject].self)
            #expect(try entries.map { try $0.required("id", as: EventID.self) } == [written[0], written[2], written[5]])
            for entry in entries {
                #expect(entry["at"] == .string("2026-11-29T10:00:00Z"))
                #expect(entry["actorId"] == .string(own.description))
                #expect(entry["traceId"] == .string("0af7651916cd43dd8448eb211c80319c"))
                #expect(entry["resourceId"] == .string("7"))
                #expect(entry["before"] == .object(JSONObject([("version", .int(1))])))
                #expect(entry["after"] == .object(JSONObject([("version", .int(2))])))
            }
            let left = try await bench.test.db.systemTransaction { tx in
                try await tx.first("select count(*) from outbox where published_at is null", as: { try $0.next(as: Int.self) })
            }
            #expect(left == 0)
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
