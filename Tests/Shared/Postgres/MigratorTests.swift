import Loop
import Postgres
import Primitives
import TestSupport
import Testing

@Suite struct MigratorTests {
    private static let first = (name: "0001_a", sql: "create table a (id int); grant select on a to :service_role;")
    private static let second = (name: "0002_b", sql: "create table b (id int)")

    private func withMigrator(
        _ body: sending @escaping @LoopActor (Migrator, TestDatabase) async throws -> Void
    ) async throws {
        try await onLoop {
            try await TestDatabase.with(messaging: false) { test in
                try await body(Migrator(test.owner, serviceRole: test.serviceRole), test)
            }
        }
    }

    @Test func `Every file is applied once, and the service may do what the files grant`() async throws {
        try await withMigrator { migrator, test in
            #expect(try await migrator.run([Self.first]) == ["0001_a"])
            #expect(try await migrator.run([Self.first, Self.second]) == ["0002_b"])
            #expect(try await migrator.run([Self.first, Self.second]) == [])
            #expect(try await test.db.systemReader.run("select * from a") == 0)
            let error = try await PostgresError.of { _ = try await test.db.systemReader.run("select * from b") }
            #expect(error?.sqlState == "42501")
        }
    }

    @Test func `A file that was edited after it was applied is refused`() async throws {
        try await withMigrator { migrator, _ in
            try await migrator.run([Self.first])
            do {
                try await migrator.run([(name: "0001_a", sql: Self.first.sql + " ")])
                Issue.record("an edited file was accepted")
            } catch MigrationError.changed(let name) { #expect(name == "0001_a") }
        }
    }

    @Test func `A file that comes too late or is missing is refused`() async throws {
        try await withMigrator { migrator, _ in
            try await migrator.run([Self.second])
            await #expect(throws: MigrationError.self) { try await migrator.run([Self.first, Self.second]) }
            await #expect(throws: MigrationError.self) { try await migrator.run([(name: "0003_c", sql: "select 1")]) }
            await #expect(throws: MigrationError.self) {
                try await migrator.run([(name: "0004", sql: "select 1"), (name: "0003", sql: "select 1")])
            }
            // A newer release has been here: ours has nothing to do.
            #expect(try await migrator.run([]) == [])
        }
    }

    @Test func `Lines keep separate histories`() async throws {
        try await withMigrator { migrator, _ in
            try await migrator.run([Self.second])
            #expect(try await migrator.run([Self.first], line: "messaging") == ["0001_a"])
        }
    }

    @Test func `A file that fails leaves nothing of itself`() async throws {
        try await withMigrator { migrator, test in
            do {
                try await migrator.run([Self.first, (name: "0002_x", sql: "create table x (id int); select 1 / 0")])
                Issue.record("a broken file was accepted")
            } catch MigrationError.failed(let name, let error) {
                #expect(name == "0002_x")
                #expect(error.sqlState == "22012")
            }
            #expect(try await test.db.systemReader.run("select * from a") == 0)
            let error = try await PostgresError.of { _ = try await test.db.systemReader.run("select * from x") }
            #expect(error?.sqlState == "42P01")
            #expect(try await migrator.run([Self.first, Self.second]) == ["0002_b"])
        }
    }

    @Test func `Two migrators at once apply once`() async throws {
        try await withMigrator { migrator, _ in
            let results = await atOnce(5) { _ in try await migrator.run([Self.first, Self.second]) }
            #expect(results.compactMap(\.value).map(\.count).sorted() == [0, 0, 0, 0, 2])
        }
    }

    @Test func `A schema that is missing is created`() async throws {
        try await onLoop {
            try await TestDatabase.with(messaging: false) { test in
                var configuration = try TestServers.postgres()
                configuration.schema = test.schema + "_new"
                let migrator = Migrator(configuration, serviceRole: test.serviceRole)
                #expect(try await migrator.run([Self.first]) == ["0001_a"])
                try await ScriptSession.with(configuration) { session in
                    try await session.run("drop schema \"\(configuration.schema)\" cascade")
                }
            }
        }
    }
}
