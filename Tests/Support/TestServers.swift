import AMQP
import Glibc
import Loop
import Postgres
import Redis

/// Where the tests' servers are. A test without its server fails: a green run means that everything ran.
package struct TestServers: Error, CustomStringConvertible {
    package let description: String

    /// The superuser of a Postgres server that belongs to the tests.
    package static func postgres() throws(TestServers) -> Database.Configuration {
        let user = try variable("TEST_POSTGRES_USER")
        return Database.Configuration(
            host: try variable("TEST_POSTGRES_HOST"), port: try port("TEST_POSTGRES_PORT"),
            database: try variable("TEST_POSTGRES_DATABASE"), user: user,
            password: optional("TEST_POSTGRES_PASSWORD") ?? "", schema: "public")
    }

    @LoopActor package static func redis(
        password: String? = nil, deadline: Duration = .milliseconds(250)
    ) throws(TestServers) -> RedisClient {
        RedisClient(
            host: try variable("TEST_REDIS_HOST"), port: try port("TEST_REDIS_PORT"),
            password: password ?? optional("TEST_REDIS_PASSWORD"), deadline: deadline)
    }

    /// A broker whose vhost belongs to the tests.
    package static func broker() throws(TestServers) -> AMQPConfiguration {
        AMQPConfiguration(
            host: try variable("TEST_AMQP_HOST"), port: try port("TEST_AMQP_PORT"),
            virtualHost: optional("TEST_AMQP_VHOST") ?? "/", user: try variable("TEST_AMQP_USER"),
            password: try variable("TEST_AMQP_PASSWORD"))
    }

    /// The certificate of the authority that signed the servers' own.
    package static func authority() throws(TestServers) -> String { try variable("TEST_CA") }

    /// An authority that signed nothing: every system of Debian's has some.
    package static func foreignAuthority() throws(TestServers) -> String {
        let file = "/etc/ssl/certs/ca-certificates.crt"
        guard access(file, R_OK) == 0 else { throw TestServers(description: "\(file) is missing: install ca-certificates") }
        return file
    }

    package static func encryptedBrokerPort() throws(TestServers) -> Int { try port("TEST_AMQPS_PORT") }

    private static func variable(_ name: String) throws(TestServers) -> String {
        if let value = optional(name) { return value }
        throw TestServers(
            description: "\(name) is not set: `make test-unit` starts the servers the tests need; for your own run "
                + "`deploy/local/stack servers` and export what `deploy/local/stack env` prints")
    }

    private static func port(_ name: String) throws(TestServers) -> Int {
        let text = try variable(name)
        guard let port = Int(text) else { throw TestServers(description: "\(name) is no port: \(text)") }
        return port
    }

    private static func optional(_ name: String) -> String? {
        guard let value = getenv(name) else { return nil }
        let text = String(cString: value)
        return text.isEmpty ? nil : text
    }
}
