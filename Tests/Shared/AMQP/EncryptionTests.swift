import AMQP
import Loop
import TestSupport
import Testing

/// The broker is spoken to over TLS when it is not on this machine (S14, ASVS 12.3).
struct EncryptionTests {
    private static func configuration(authority: String) throws -> AMQPConfiguration {
        var configuration = try TestServers.broker()
        configuration.host = "localhost"
        configuration.port = try TestServers.encryptedBrokerPort()
        configuration.authorityFile = authority
        return configuration
    }

    @Test func `With the right authority the broker answers over TLS`() async throws {
        try await onLoop {
            let counts = try await Broker.counts(of: [], on: Self.configuration(authority: TestServers.authority()))
            #expect(counts.isEmpty)
        }
    }

    @Test func `A broker of another authority, or without TLS, is refused`() async throws {
        try await onLoop {
            let foreign = try Self.configuration(authority: TestServers.foreignAuthority())
            var plain = try Self.configuration(authority: TestServers.authority())
            plain.port = try TestServers.broker().port
            for wrong in [foreign, plain] {
                await #expect(throws: AMQPError.self) { _ = try await Broker.counts(of: [], on: wrong) }
            }
        }
    }

    @Test func `A password that was changed is used at the next connection`() async throws {
        try await onLoop {
            var configuration = try TestServers.broker()
            let right = configuration.password
            configuration.password = "what it was before"
            configuration.passwordNow = { right }
            let counts = try await Broker.counts(of: [], on: configuration)
            #expect(counts.isEmpty)
        }
    }
}
