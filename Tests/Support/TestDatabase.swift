import Bootstrap
import Loop
import Messaging
import Postgres
import Primitives

/// A fresh schema with an owner and a service's role of its own, for one test; both are gone afterwards.
///
///     try await onLoop {
///         try await TestDatabase.with(migrations) { test in
///             let store = SlotStore(sql: test.db.reader(for: test.tenant))
///         }
///     }
@LoopActor package final class TestDatabase {
    /// Connected as the service's role, as in production.
    package let db: Database
    package let schema: String
    package let serviceRole: String
    /// Who owns the schema; what migrations run as.
    package let owner: Database.Configuration
    package let configuration: Database.Configuration
    /// A tenant for the tests that need only one.
    package let tenant = TenantID()

    private init(schema: String, server: Database.Configuration) {
        self.schema = schema
        serviceRole = "\(schema)_service"
        owner = Self.login("\(schema)_owner", schema, server, writes: 1)
        configuration = Self.login(serviceRole, schema, server, writes: 4)
        db = Database(configuration)
    }

    private static func login(
        _ user: String, _ schema: String, _ server: Database.Configuration, writes: Int
    ) -> Database.Configuration {
        Database.Configuration(
            host: server.host, port: server.port, database: server.database, user: user, password: schema,
            schema: schema, readConnections: 1, writeConnections: writes)
    }

    /// Runs the migrations (the messaging tables' first) and then `body`. Any number of tests may do so at once.
    package static func with<T>(
        _ migrations: [Migration] = [], messaging: Bool = true,
        _ body: @LoopActor (TestDatabase) async throws -> T
    ) async throws -> T {
        let server = try TestServers.postgres()
        try await gate.enter()
        defer { gate.leave() }
        let test = TestDatabase(schema: "test_\(String(UInt64.random(in: 0 ... .max), radix: 36))", server: server)
        try await test.create(server)
        do {
            let migrator = Migrator(test.owner, serviceRole: test.serviceRole)
            if messaging {
                let shared = MessagingSchema.migrations.map { Migration($0.name, $0.sql) }
                try await migrator.run(shared.map { ($0.name, $0.sql) }, line: "messaging")
            }
            try await migrator.run(migrations.map { ($0.name, $0.sql) })
            test.db.start()
            let value = try await body(test)
            try await test.drop(server)
            return value
        } catch {
            try? await test.drop(server)
            throw error
        }
    }

    /// Runs SQL text as the owner, beside what the service may do.
    package func asOwner(_ text: String) async throws {
        try await ScriptSession.with(owner) { try await $0.run(text) }
    }

    private func create(_ server: Database.Configuration) async throws {
        try await ScriptSession.with(server) { session in
            // Two of these statements at once would trip over the same catalogue rows, so they queue, patiently.
            try await session.run(
                """
                set lock_timeout = '120s';
                select pg_advisory_lock(7001);
                create extension if not exists btree_gist schema public;
                create extension if not exists pg_trgm schema public;
                create role "\(self.owner.user)" login password '\(self.schema)';
                create role "\(self.serviceRole)" login password '\(self.schema)';
                create schema "\(self.schema)" authorization "\(self.owner.user)";
                """)
        }
    }

    private func drop(_ server: Database.Configuration) async throws {
        db.close()
        try await ScriptSession.with(server) { session in
            try await session.run(
                """
                set lock_timeout = '120s';
                select pg_advisory_lock(7001);
                drop schema "\(self.schema)" cascade;
                drop owned by "\(self.owner.user)", "\(self.serviceRole)" cascade;
                drop role "\(self.owner.user)", "\(self.serviceRole)";
                """)
        }
    }

    private static let gate = Gate(width: 8)
}

/// Lets some in and makes the others wait: a hundred schemas at once would exhaust the server's connections.
@LoopActor private final class Gate {
    private var free: Int
    private var waiting: [UnsafeContinuation<Void, Never>] = []

    init(width: Int) { free = width }

    func enter() async throws {
        if free > 0 {
            free -= 1
        } else {
            await withUnsafeContinuation { waiting.append($0) }
        }
    }

    func leave() {
        if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
    }
}
