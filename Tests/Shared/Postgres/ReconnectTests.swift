import Loop
import Postgres
import Primitives
import TestSupport
import Testing

@Suite struct ReconnectTests {
    /// Ends every session of the service, as a restart of the server would.
    @LoopActor private func cut(_ test: TestDatabase) async throws {
        try await ScriptSession.with(try TestServers.postgres()) { session in
            try await session.run(
                "select pg_terminate_backend(pid) from pg_stat_activity where usename = '\(test.serviceRole)'")
        }
    }

    @Test func `After its sessions were ended the database answers again`() async throws {
        try await withGadgets { test in
            try await test.insert("before")
            for _ in 0..<3 {
                try await cut(test)
                #expect(try await test.names().contains("before"))
                try await test.insert("after \(ID<Gadget>())")
            }
            #expect(test.db.counters.reconnects > 0)
            #expect(try await test.names().count == 4)
        }
    }

    @Test func `Reads under way when the sessions end are answered all the same`() async throws {
        try await withGadgets { test in
            try await test.insert("x")
            let reads = EventLoop.spawn {
                await atOnce(50) { _ in
                    try await test.db.reader(for: test.tenant).run("select name, pg_sleep(0.01) from gadget")
                }
            }
            try await EventLoop.sleep(for: .milliseconds(50))
            try await cut(test)
            let results = try await reads.value
            #expect(results.allSatisfy { $0.value == 1 })
        }
    }

    @Test func `A transaction that loses its session never continues on another`() async throws {
        try await withGadgets { test in
            var runs = 0
            try await test.db.transaction(for: test.tenant) { tx in
                runs += 1
                try await tx.run("insert into gadget (id, name) values (\(ID<Gadget>()), \("run \(runs)"))")
                if runs == 1 { try await cut(test) }
                try await EventLoop.sleep(for: .milliseconds(100))
                try await tx.run("update gadget set count = 1")
            }
            // The whole body ran once more; nothing of its first run was kept.
            #expect(runs == 2)
            #expect(try await test.names() == ["run 2"])
        }
    }

    @Test func `A session lost during the commit leaves an unknown outcome, which is not repeated`() async throws {
        try await withGadgets { test in
            try await test.asOwner(
                """
                create function end_session() returns trigger language plpgsql as
                $$ begin perform pg_terminate_backend(pg_backend_pid()); return null; end $$;
                create constraint trigger gadget_ends after insert on gadget deferrable initially deferred
                for each row execute function end_session()
                """)
            var runs = 0
            let error = try await PostgresError.of {
                try await test.db.transaction(for: test.tenant) { tx in
                    runs += 1
                    try await tx.run("insert into gadget (id, name) values (\(ID<Gadget>()), 'x')")
                }
            }
            #expect(error?.sqlState == PostgresError.unknownOutcome.sqlState)
            #expect(runs == 1)
        }
    }

    @Test func `A server that is not there is unavailable soon`() async throws {
        try await onLoop {
            let db = Database(
                .init(host: "127.0.0.1", port: 1, database: "x", user: "x", password: "hunter2", schema: "x"))
            db.start()
            defer { db.close() }
            let read = try await PostgresError.of { _ = try await db.reader(for: TenantID()).run("select 1") }
            let write = try await PostgresError.of {
                try await db.transaction(for: TenantID()) { _ = try await $0.run("select 1") }
            }
            #expect(read?.code == .unavailable)
            #expect(write?.code == .unavailable)
            #expect(!db.isReady)
            #expect(db.lastFailure?.message.contains("hunter2") == false)
        }
    }

    @Test func `A silent server costs its first callers two seconds and later ones nothing`() async throws {
        try await withGadgets { test in
            let proxy = FaultProxy(host: test.configuration.host, port: test.configuration.port)
            var configuration = test.configuration
            (configuration.host, configuration.port) = ("127.0.0.1", proxy.port)
            let db = Database(configuration)
            db.start()
            defer { db.close() }
            let read = { try await db.reader(for: test.tenant).run("select name from gadget") }
            let write = { try await db.transaction(for: test.tenant) { try await $0.run("update gadget set count = 1") } }
            _ = try await read()
            _ = try await write()

            proxy.silence()
            let began = EventLoop.shared.tickTime
            let first = await atOnce(6) { $0 < 3 ? try await read() : try await write() }
            #expect(first.allSatisfy { ($0.error as? PostgresError)?.code == .unavailable })
            #expect(EventLoop.shared.tickTime - began < 4_000_000_000)
            #expect(!db.isReady)
            let known = EventLoop.shared.tickTime
            let later = await atOnce(6) { $0 < 3 ? try await read() : try await write() }
            #expect(later.allSatisfy { ($0.error as? PostgresError)?.code == .unavailable })
            #expect(EventLoop.shared.tickTime - known < 500_000_000)

            proxy.mend()
            while !db.isReady { try await EventLoop.sleep(for: .milliseconds(10)) }
            #expect(try await read() == 0)
            #expect(try await write() == 0)
        }
    }

    @Test func `A statement that is only slow keeps its connection`() async throws {
        try await withGadgets { test in
            try await test.insert("x")
            let before = test.db.counters.reconnects
            #expect(try await test.db.reader(for: test.tenant).run("select name, pg_sleep(2.5) from gadget") == 1)
            #expect(test.db.counters.reconnects == before)
            #expect(test.db.isReady)
        }
    }

    @Test func `A notification is heard, also after the session was lost`() async throws {
        try await withGadgets { test in
            var heard = 0
            test.db.listen("gadget \"changed\"") { heard += 1 }
            while heard < 1 { try await EventLoop.sleep(for: .milliseconds(5)) }
            try await notify(test)
            while heard < 2 { try await EventLoop.sleep(for: .milliseconds(5)) }
            try await cut(test)
            // The call that says: something may have been missed.
            while heard < 3 { try await EventLoop.sleep(for: .milliseconds(5)) }
            try await notify(test)
            while heard < 4 { try await EventLoop.sleep(for: .milliseconds(5)) }
            #expect(heard == 4)
        }
    }

    @LoopActor private func notify(_ test: TestDatabase) async throws {
        try await test.db.systemTransaction { $0.later("select pg_notify('gadget \"changed\"', '')") }
    }
}
