import Loop
import Postgres
import Primitives
import TestSupport
import Testing

@Suite struct TransactionTests {
    struct Refused: Error {}

    @Test func `What was written is there after the commit and not after a throw`() async throws {
        try await withGadgets { test in
            try await test.insert("kept")
            do {
                try await test.db.transaction(for: test.tenant) { tx in
                    try await tx.run("insert into gadget (id, name) values (\(ID<Gadget>()), 'dropped')")
                    throw Refused()
                }
                Issue.record("the refusal was swallowed")
            } catch is Refused {}
            #expect(try await test.names() == ["kept"])
            #expect(test.db.counters.rollbacks == 1)
        }
    }

    @Test func `A server without room is away, and so are we until it had time to find some`() async throws {
        try await withGadgets { test in
            let error = try await PostgresError.of {
                try await test.db.transaction(for: test.tenant) {
                    _ = try await $0.run("do $$ begin raise exception 'disk' using errcode = '53100'; end $$")
                }
            }
            #expect(error?.code == .unavailable && error?.sqlState == "53100", "\(String(describing: error))")
            #expect(!test.db.isReady)
            try await test.insert("kept")
        }
    }

    @Test func `A violated constraint is known by its name`() async throws {
        try await withGadgets { test in
            try await test.insert("x")
            do {
                try await onConstraint("gadget_one_name", throw: Refused()) { try await test.insert("x") }
                Issue.record("two of one name")
            } catch is Refused {}
            let error = try await PostgresError.of {
                try await test.db.transaction(for: test.tenant) { _ = try await $0.run("update gadget set count = -1") }
            }
            #expect(error?.code == .constraint)
            #expect(error?.constraint == "gadget_count_positive")
        }
    }

    @Test func `Statements after each other see what came before`() async throws {
        try await withGadgets { test in
            let counts = try await test.db.transaction(for: test.tenant) { tx in
                tx.later("insert into gadget (id, name) values (\(ID<Gadget>()), 'queued')")
                try await tx.run("insert into gadget (id, name) values (\(ID<Gadget>()), 'sent')")
                return try await tx.first("select count(*) from gadget") { try $0.next(as: Int.self) }
            }
            #expect(counts == 2)
        }
    }

    @Test func `A commit that fails is reported`() async throws {
        try await withGadgets { test in
            try await test.asOwner(
                """
                alter table gadget add column parent uuid,
                    add constraint gadget_parent_exists foreign key (parent) references gadget (id)
                    deferrable initially deferred not valid
                """)
            let error = try await PostgresError.of {
                try await test.db.transaction(for: test.tenant) {
                    _ = try await $0.run(
                        "insert into gadget (id, name, parent) values (\(ID<Gadget>()), 'orphan', \(ID<Gadget>()))")
                }
            }
            #expect(error?.constraint == "gadget_parent_exists")
            #expect(try await test.names().isEmpty)
        }
    }

    @Test func `A body that swallows a fault does not commit`() async throws {
        try await withGadgets { test in
            let error = try await PostgresError.of {
                try await test.db.transaction(for: test.tenant) { tx in
                    try await tx.run("insert into gadget (id, name) values (\(ID<Gadget>()), 'half')")
                    _ = try? await tx.run("select 1 / 0")
                }
            }
            #expect(error?.sqlState == "22012")
            #expect(try await test.names().isEmpty)
        }
    }

    @Test func `A transaction that ended itself is reported`() async throws {
        try await withGadgets { test in
            let error = try await PostgresError.of {
                try await test.db.transaction(for: test.tenant) { tx in
                    try await tx.run("insert into gadget (id, name) values (\(ID<Gadget>()), 'half')")
                    tx.later("do $$ begin raise exception 'no'; end $$")
                    tx.later("insert into gadget (id, name) values (\(ID<Gadget>()), 'never')")
                }
            }
            #expect(error?.sqlState == "P0001")
            #expect(try await test.names().isEmpty)
        }
    }

    @Test func `A statement for later that fails undoes everything`() async throws {
        try await withGadgets { test in
            try await test.insert("taken")
            let error = try await PostgresError.of {
                try await test.db.transaction(for: test.tenant) { tx in
                    tx.beforeCommit = { tx in
                        tx.later("insert into gadget (id, name) values (\(ID<Gadget>()), 'taken')")
                    }
                    try await tx.run("insert into gadget (id, name) values (\(ID<Gadget>()), 'new')")
                }
            }
            #expect(error?.constraint == "gadget_one_name")
            #expect(try await test.names() == ["taken"])
            // The connection is clean again.
            try await test.insert("next")
            #expect(try await test.names() == ["next", "taken"])
        }
    }

    @Test func `Statements for later alone are a whole transaction`() async throws {
        try await withGadgets { test in
            try await test.db.transaction(for: test.tenant) { tx in
                tx.later("insert into gadget (id, name) values (\(ID<Gadget>()), 'one')")
                tx.later("insert into gadget (id, name) values (\(ID<Gadget>()), 'two')")
            }
            #expect(try await test.names() == ["one", "two"])
        }
    }

    @Test func `Of two hundred who want the same thing one gets it`() async throws {
        try await withGadgets { test in
            let results = await atOnce(200) { _ in
                try await test.db.transaction(for: test.tenant) { tx in
                    try await tx.first(
                        """
                        insert into gadget (id, name) values (\(ID<Gadget>()), 'the last slot')
                        on conflict do nothing returning id
                        """
                    ) { try $0.next(as: ID<Gadget>.self) }
                }
            }
            #expect(results.allSatisfy { $0.error == nil })
            #expect(results.count { $0.value != .some(nil) } == 1)
            let names = try await test.names()
            #expect(names == ["the last slot"])
        }
    }

    @Test func `A deadlock is repeated until both are done`() async throws {
        try await withGadgets { test in
            try await test.insert("a")
            try await test.insert("b")
            var met = 0
            var runs = 0
            let results = await atOnce(2) { index in
                let order = index == 0 ? ["a", "b"] : ["b", "a"]
                try await test.db.transaction(for: test.tenant) { tx in
                    runs += 1
                    try await tx.run("update gadget set count = count + 1 where name = \(order[0])")
                    met += 1
                    while met < 2 { await Task.yield() }
                    try await tx.run("update gadget set count = count + 1 where name = \(order[1])")
                }
            }
            #expect(results.allSatisfy { $0.error == nil })
            #expect(runs >= 3)
            let counts = try await test.db.reader(for: test.tenant)
                .all("select count from gadget") { try $0.next(as: Int.self) }
            #expect(counts == [2, 2])
        }
    }

    @Test func `A zero character is refused in a transaction, now and later`() async throws {
        try await withGadgets { test in
            let insert: SQL = "insert into gadget (id, name) values (\(ID<Gadget>()), \("a\0b"))"
            let bodies: [@LoopActor (Transaction) async throws -> Void] = [
                { tx in try await tx.run(insert) },
                { tx in tx.later(insert) },
                { tx in
                    tx.later(insert)
                    try await tx.run("select 1")
                },
            ]
            for body in bodies {
                let error = try await PostgresError.of { try await test.db.transaction(for: test.tenant, body) }
                #expect(error?.sqlState == "22021")
            }
            let names = try await test.names()
            #expect(names.isEmpty)
        }
    }

    @Test func `A cancelled task leaves a clean connection`() async throws {
        try await withGadgets { test in
            for _ in 0..<10 {
                let task = EventLoop.spawn {
                    try await test.db.transaction(for: test.tenant) { tx in
                        try await tx.run("insert into gadget (id, name) values (\(ID<Gadget>()), 'ghost')")
                        try await EventLoop.sleep(for: .seconds(60))
                    }
                }
                try await EventLoop.sleep(for: .milliseconds(10))
                task.cancel()
                let result = await task.result
                #expect(result.error is CancellationError)
            }
            #expect(try await test.names().isEmpty)
            #expect(test.db.counters.inFlight == 0)
        }
    }

    @Test func `Waiting for a connection ends with cancellation`() async throws {
        try await withGadgets { test in
            var release = false
            let holders = (0..<4).map { _ in
                EventLoop.spawn {
                    try await test.db.transaction(for: test.tenant) { tx in
                        try await tx.run("select 1")
                        while !release { try await EventLoop.sleep(for: .milliseconds(2)) }
                    }
                }
            }
            while test.db.counters.inFlight < 4 { try await EventLoop.sleep(for: .milliseconds(2)) }
            let late = EventLoop.spawn { try await test.insert("late") }
            while test.db.counters.waiting == 0 { await Task.yield() }
            late.cancel()
            let result = await late.result
            #expect(result.error is CancellationError)
            release = true
            for holder in holders { try await holder.value }
            #expect(test.db.counters.waiting == 0)
        }
    }

    @Test func `A statement beyond its deadline is a timeout and costs nobody else`() async throws {
        try await onLoop {
            try await TestDatabase.with([gadgets], messaging: false) { test in
                var hasty = test.configuration
                hasty.statementDeadline = .milliseconds(300)
                let db = Database(hasty)
                db.start()
                defer { db.close() }
                let slow = try await PostgresError.of {
                    try await db.transaction(for: test.tenant) { _ = try await $0.run("select pg_sleep(5)") }
                }
                #expect(slow?.code == .timeout)
                let results = await atOnce(5) { index in
                    try await db.reader(for: test.tenant)
                        .run(index == 0 ? "select pg_sleep(5)" : "select \(index)::int")
                }
                #expect((results[0].error as? PostgresError)?.code == .timeout)
                #expect(results.dropFirst().allSatisfy { $0.error == nil })
            }
        }
    }

    @Test func `A server that never answers costs one deadline and one connection`() async throws {
        try await onLoop {
            try await TestDatabase.with([gadgets], messaging: false) { test in
                var hasty = test.configuration
                hasty.statementDeadline = .milliseconds(300)
                let db = Database(hasty)
                db.start()
                defer { db.close() }
                let mute = try await PostgresError.of {
                    try await db.transaction(for: test.tenant) { tx in
                        try await tx.run("set local statement_timeout = 0")
                        try await tx.run("select pg_sleep(3)")
                    }
                }
                #expect(mute?.code == .timeout)
                let one = try await db.transaction(for: test.tenant) { try await $0.run("select 1") }
                #expect(one == 1)
                #expect(db.counters.reconnects == 1)
            }
        }
    }
}
