import AMQP
import Glibc
import Loop
import Messaging
import Postgres

/// What `migrate` is told: the owner's login instead of the service's.
struct MigratorConfig {
    let database: Database.Configuration
    let serviceRole: String
    /// Left out where the broker is not there yet; then `serve` declares the queues.
    let broker: AMQPConfiguration?

    init(environment: Environment, service: String) throws {
        var read = environment.reader()
        var database = Database.Configuration(
            host: read.text("POSTGRES_HOST"), port: read.int("POSTGRES_PORT", default: 5432, in: 1...65_535),
            database: read.text("POSTGRES_DATABASE", default: "polyclinic"),
            user: read.text("POSTGRES_MIGRATOR_USER", default: "polyclinic_migrator"),
            password: read.secret("POSTGRES_MIGRATOR_PASSWORD_FILE").text, schema: service)
        database.authorityFile = read.optionalPath("POSTGRES_CA_FILE")
        self.database = database
        serviceRole = read.text("POSTGRES_USER", default: "polyclinic_\(service)")
        if let host = read.optionalText("AMQP_HOST") {
            var broker = AMQPConfiguration(
                host: host, port: read.int("AMQP_PORT", default: 5672, in: 1...65_535),
                virtualHost: read.text("AMQP_VHOST", default: "/"), user: read.text("AMQP_USER"),
                password: read.secret("AMQP_PASSWORD_FILE").text)
            broker.authorityFile = read.optionalPath("AMQP_CA_FILE")
            self.broker = broker
        } else {
            broker = nil
        }
        try read.finish()
    }
}

/// Brings the schema and the broker's queues up to date. Safe to run again, and by several at once.
@LoopActor struct Migrating {
    private let service: Service
    private let config: MigratorConfig

    init(_ service: Service, _ config: MigratorConfig) {
        self.service = service
        self.config = config
    }

    func run() async throws -> Int32 {
        do {
            let migrator = Migrator(config.database, serviceRole: config.serviceRole)
            let shared = MessagingSchema.migrations.map { Migration($0.name, $0.sql) }
            var applied = try await migrator.run(shared.map { ($0.name, $0.sql) }, line: MigrationLine.messaging)
            applied += try await migrator.run(
                service.migrations.map { ($0.name, $0.sql) }, line: MigrationLine.service)
            for name in applied { print("\(service.name): applied \(name)\n", to: STDOUT_FILENO) }
            if applied.isEmpty { print("\(service.name): nothing to apply\n", to: STDOUT_FILENO) }
        } catch MigrationError.failed(let name, let error) {
            print("\(service.name): \(name) failed: \(error.sqlState) \(error.message)\n", to: STDERR_FILENO)
            return 1
        } catch let error as MigrationError {
            print("\(service.name): \(Self.say(error))\n", to: STDERR_FILENO)
            return 1
        } catch let error as PostgresError {
            print("\(service.name): \(error.code) \(error.sqlState) \(error.message)\n", to: STDERR_FILENO)
            return 1
        }
        await declareQueues()
        return 0
    }

    /// Before anybody serves, so that no early event finds the queue of its reaction missing.
    private func declareQueues() async {
        guard let broker = config.broker else { return }
        do { try await Broker.declare(.of(service.reactions), on: broker) } catch {
            print(
                "\(service.name): the broker is not there, serve will declare the queues: \(error)\n",
                to: STDERR_FILENO)
        }
    }

    private static func say(_ error: MigrationError) -> String {
        switch error {
        case .changed(let name):
            "\(name) was applied with another content. Applied files are never edited: write the next one."
        case .outOfOrder(let name): "\(name) sorts before one that is applied already. Give it the next number."
        case .missing(let name): "\(name) was applied but is not in this binary. Is it an older release?"
        case .failed(let name, let error): "\(name) failed: \(error.message)"
        }
    }
}
