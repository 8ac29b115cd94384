import Access
import Cryptography
import Glibc
import JSON
import Loop
import Postgres
import Primitives

/// The files a service is pointed at, in a folder of one test.
@LoopActor struct SecretFiles {
    private let folder: String

    init(_ database: TestDatabase, _ key: SigningKey) throws {
        folder = "/tmp/polyclinic-test-\(ID<SecretFiles>())"
        guard mkdir(folder, 0o700) == 0 else { throw Failure() }
        let hex = "0123456789abcdef"
        let master = String((0..<64).compactMap { _ in hex.randomElement() })
        try write("postgres", Array(database.configuration.password.utf8))
        try write("amqp", Array("unused".utf8))
        try write("master", Array(master.utf8))
        try write("pepper", Array(String(master.reversed()).utf8))
        try write("jwks.json", KeySet([key.verifying]).jsonBytes)
        try write("jwt.pem", try key.pem())
    }

    struct Failure: Error {}

    /// What every process is told. There is no broker: what is announced stays in the outbox, where tests read it.
    func variables(_ database: TestDatabase, _ cards: CardOwners) -> [String: String] {
        let postgres = database.configuration
        return [
            "POLYCLINIC_PROFILE": "demo", "LOG_LEVEL": "error", "PORT": "0", "HEALTH_PORT": "0",
            "POSTGRES_HOST": postgres.host, "POSTGRES_PORT": "\(postgres.port)",
            "POSTGRES_DATABASE": postgres.database,
            "POSTGRES_USER": postgres.user, "POSTGRES_PASSWORD_FILE": path("postgres"),
            "POSTGRES_SCHEMA": postgres.schema,
            "POSTGRES_READ_CONNECTIONS": "1", "POSTGRES_WRITE_CONNECTIONS": "4",
            "REDIS_HOST": "127.0.0.1", "REDIS_PORT": "1", "AMQP_HOST": "127.0.0.1", "AMQP_USER": "unused",
            "AMQP_PASSWORD_FILE": path("amqp"), "MASTER_KEY_FILE": path("master"),
            "PASSWORD_PEPPER_FILE": path("pepper"),
            "JWT_PUBLIC_KEYS_FILE": path("jwks.json"), "JWT_PRIVATE_KEY_FILE": path("jwt.pem"),
            "SERVICE_URLS": cards.serviceURLs,
        ]
    }

    func remove() {
        for name in ["postgres", "amqp", "master", "pepper", "jwks.json", "jwt.pem", "jwt_private.next.pem", "key_rotation.json"] {
            unlink(path(name))
        }
        rmdir(folder)
    }

    private func path(_ name: String) -> String { "\(folder)/\(name)" }

    private func write(_ name: String, _ bytes: [UInt8]) throws {
        let descriptor = open(path(name), O_WRONLY | O_CREAT | O_EXCL, 0o600)
        guard descriptor >= 0 else { throw Failure() }
        defer { close(descriptor) }
        guard bytes.withUnsafeBytes({ Glibc.write(descriptor, $0.baseAddress, $0.count) }) == bytes.count else {
            throw Failure()
        }
    }
}
