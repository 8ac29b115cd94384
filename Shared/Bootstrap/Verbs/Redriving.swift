import AMQP
import Glibc
import Loop
import Messaging

/// `redrive <reaction>`: what was parked is tried again, and the audit trail says that somebody did it.
@LoopActor struct Redriving {
    private let service: Service
    private let host: Host

    init(_ service: Service, on host: Host) {
        self.service = service
        self.host = host
    }

    func run(_ reaction: String) async throws -> Int32 {
        guard service.reactions.contains(where: { $0.name == reaction }) else {
            let names = service.reactions.map { "  \($0.name)\n" }.joined()
            print("\(service.name) has no reaction '\(reaction)'. It has:\n\(names)", to: STDERR_FILENO)
            return 64
        }
        Messenger.announce(as: service.name)
        host.start()
        try await host.waitForDatabase()
        let count = try await Redrive.run(
            reaction: reaction, service: service.name, db: host.db, amqp: AMQPConfiguration(host.config.broker))
        print("\(reaction): \(count) put back\n", to: STDOUT_FILENO)
        return 0
    }
}
