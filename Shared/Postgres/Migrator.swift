import Loop

/// Why a schema was left as it was.
package enum MigrationError: Error {
    /// The file was applied with another content. Applied files are never edited: write the next one.
    case changed(String)
    /// The file sorts before one that is applied already, or the list itself is not in order.
    case outOfOrder(String)
    /// A file that was applied is no longer among ours, though later ones are.
    case missing(String)
    case failed(String, PostgresError)
}

/// Brings one service's schema up to date, as the role that owns it.
///
/// Every file is applied once, in the order of the names, in a transaction of its own, and its hash is kept.
/// Two at once are harmless: they take turns.
@LoopActor package final class Migrator {
    private let configuration: Database.Configuration
    private let serviceRole: String

    /// `configuration` names the owner; `serviceRole` is who the files grant rights to as `:service_role`.
    package nonisolated init(_ configuration: Database.Configuration, serviceRole: String) {
        self.configuration = configuration
        self.serviceRole = serviceRole
    }

    /// Applies what is missing and returns its names. `line` keeps the shared files' history apart from the service's.
    @discardableResult
    package func run(
        _ migrations: [(name: String, sql: String)], line: String = "service"
    ) async throws -> [String] {
        try await ScriptSession.with(configuration) { session in
            try await self.takeTurn(session)
            try await self.prepareSchema(session)
            var applied = try await self.history(of: line, session)
            try Self.checkOrder(migrations.map(\.name), applied: Set(applied.keys))
            var fresh: [String] = []
            for (name, sql) in migrations {
                let hash = try await Self.hash(sql, session)
                if let known = applied[name] {
                    if known != hash { throw MigrationError.changed(name) }
                    continue
                }
                do { try await self.apply(name, sql, hash, line, session) } catch let error as PostgresError {
                    throw MigrationError.failed(name, error)
                }
                applied[name] = hash
                fresh.append(name)
            }
            return fresh
        }
    }

    /// One migrator at a time per schema; the lock goes with the session.
    private func takeTurn(_ session: ScriptSession) async throws {
        let key = Literal("polyclinic migration of \(configuration.schema)")
        try await session.run(
            "set lock_timeout = '120s'; select pg_advisory_lock(hashtextextended(\(key), 0)); set lock_timeout = '5s'")
    }

    private func prepareSchema(_ session: ScriptSession) async throws {
        let schema = Identifier(configuration.schema)
        let role = Identifier(serviceRole)
        let found = try await session.all(
            "select true from pg_namespace where nspname = \(Literal(configuration.schema))"
        ) { row in try row.next(as: Bool.self) }
        // `if not exists` asks for the right to create even when there is nothing to create.
        if found.isEmpty { try await session.run("create schema \(schema)") }
        try await session.run(
            """
            grant usage on schema \(schema) to \(role);
            create table if not exists \(schema).schema_migration (
                line text not null,
                name text not null,
                hash text not null,
                applied_at timestamptz not null default now(),
                constraint schema_migration_once primary key (line, name)
            );
            grant select on \(schema).schema_migration to \(role)
            """)
    }

    private func history(of line: String, _ session: ScriptSession) async throws -> [String: String] {
        let rows = try await session.all(
            "select name, hash from schema_migration where line = \(Literal(line))"
        ) { row in (try row.next(as: String.self), try row.next(as: String.self)) }
        return Dictionary(rows) { first, _ in first }
    }

    /// Names that sort after all of ours are a newer release's, which ours must be able to run beside.
    private static func checkOrder(_ names: [String], applied: Set<String>) throws(MigrationError) {
        for (name, next) in zip(names, names.dropFirst()) where name >= next { throw .outOfOrder(next) }
        let last = applied.max() ?? ""
        for name in names where !applied.contains(name) && name < last { throw .outOfOrder(name) }
        let known = Set(names)
        for name in applied.sorted() where !known.contains(name) && name < names.last ?? "" { throw .missing(name) }
    }

    private static func hash(_ sql: String, _ session: ScriptSession) async throws -> String {
        let hashes = try await session.all("select encode(sha256(convert_to(\(Literal(sql)), 'UTF8')), 'hex')") {
            try $0.next(as: String.self)
        }
        return hashes.first ?? ""
    }

    private func apply(
        _ name: String, _ sql: String, _ hash: String, _ line: String, _ session: ScriptSession
    ) async throws {
        let text = sql.replacing(":service_role", with: "\(Identifier(serviceRole))")
        do {
            try await session.run("begin; set local lock_timeout = '5s'")
            try await session.run(text)
            try await session.run(
                """
                insert into schema_migration (line, name, hash)
                values (\(Literal(line)), \(Literal(name)), \(Literal(hash)));
                commit
                """)
        } catch {
            try? await session.run("rollback")
            throw error
        }
    }
}
