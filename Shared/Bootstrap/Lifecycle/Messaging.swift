import AMQP
import Loop
import Messaging

extension AMQPConfiguration {
    init(_ broker: HostConfig.Broker) {
        self.init(
            host: broker.host, port: broker.port, virtualHost: broker.virtualHost, user: broker.user,
            password: broker.password.text)
        passwordNow = { broker.password.current }
        authorityFile = broker.authorityFile
    }
}

extension Messenger {
    convenience init(_ service: Service, on host: Host) {
        Messenger.announce(as: service.name)
        let log = host.log
        self.init(
            service: service.name, reactions: service.reactions, db: host.db,
            amqp: AMQPConfiguration(host.config.broker),
            note: { notice in log.write(notice) })
    }
}

extension Log {
    /// Notices of other modules hold names, codes and ids only.
    func write(_ notice: Notice) {
        write(LogLevel(rawValue: notice.level.rawValue) ?? .info, text: notice.message, notice.fields)
    }
}
