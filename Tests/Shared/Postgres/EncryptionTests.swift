import Glibc
import Loop
import Postgres
import TestSupport
import Testing

/// A connection over a network is encrypted, and the server proves who it is (S14, ASVS 12.3).
struct EncryptionTests {
    @LoopActor private static func answer(_ configuration: Database.Configuration) async throws -> String? {
        let db = Database(configuration)
        db.start()
        defer { db.close() }
        for _ in 0..<60 where !db.isReady { try await EventLoop.sleep(for: .milliseconds(50)) }
        guard db.isReady else { throw db.lastFailure ?? PostgresError(.unavailable) }
        return try await db.systemReader.first(
            "select version from pg_stat_ssl where pid = pg_backend_pid()", as: { try $0.next(as: String?.self) }) ?? nil
    }

    private static func configuration(authority: String) throws -> Database.Configuration {
        var configuration = try TestServers.postgres()
        configuration.host = "localhost"
        configuration.authorityFile = authority
        return configuration
    }

    @Test func `With the right authority the session is TLS 1.2 or above`() async throws {
        let authority = try TestServers.authority()
        let version = try await onLoop { try await Self.answer(Self.configuration(authority: authority)) }
        #expect(version == "TLSv1.3" || version == "TLSv1.2")
    }

    @Test func `A server of another authority is refused`() async throws {
        let failure = try await onLoop {
            await #expect(throws: PostgresError.self) {
                try await Self.answer(Self.configuration(authority: TestServers.foreignAuthority()))
            }
        }
        #expect(failure?.message.contains("certificate") == true)
    }

    @Test func `A password that was changed is used at the next connection`() async throws {
        try await onLoop {
            var configuration = try TestServers.postgres()
            let right = configuration.password
            configuration.password = "what it was before"
            configuration.passwordNow = { right }
            _ = try await Self.answer(configuration)
        }
    }
}
