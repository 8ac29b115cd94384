import Loop
import Postgres

extension TestDatabase {
    /// Ends every connection of the service's role, as a crash of the server or of a pod does.
    package func killConnections() async throws {
        try await ScriptSession.with(try TestServers.postgres()) { session in
            try await session.run(
                "select pg_terminate_backend(pid) from pg_stat_activity where usename = '\(self.serviceRole)'")
        }
    }
}
