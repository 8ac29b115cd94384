import AMQP
import Loop
import Postgres

/// Everything about events in one process: publishing, relaying, reacting, tidying up.
@LoopActor package final class Messenger {
    package let publisher: Publisher
    package let relay: OutboxRelay
    package let consumer: Consumer
    private let housekeeping: Housekeeping
    private let note: Note
    private var workers: [LoopTask<Void>] = []
    private var wasConnected = false
    private let service: String

    package init(
        service: String, reactions: [Reaction], db: Database, amqp: AMQPConfiguration,
        settings: MessagingSettings = MessagingSettings(), note: @escaping Note = { _ in }
    ) {
        self.note = note
        self.service = service
        // The publishing connection declares our reactions' queues too: what we announce to ourselves must find them.
        publisher = Publisher(amqp, name: service, topology: .of(reactions, settings))
        relay = OutboxRelay(service: service, db: db, publisher: publisher, settings: settings, note: note)
        consumer = Consumer(
            service: service, reactions: reactions, db: db, publisher: publisher, amqp: amqp, settings: settings,
            note: note)
        housekeeping = Housekeeping(db: db)
    }

    /// The service may serve without a broker: facts wait in the outbox meanwhile. Name the service first:
    /// audit entries say who wrote them even before the relay runs.
    package static func announce(as service: String) { OutboxDraft.service = service }

    /// Starts connecting and relaying; returns at once.
    package func start() {
        publisher.onChange = { [weak self] in self?.brokerChanged() }
        OutboxDraft.wakeRelay = { [relay] in relay.wake() }
        publisher.start()
        consumer.start()
        workers.append(EventLoop.spawn { await self.relay.run() })
        workers.append(EventLoop.spawn { await self.tidy() })
        workers.append(EventLoop.spawn { await self.watch() })
        workers.append(EventLoop.spawn { await self.tell() })
    }

    /// Ends reacting, then relaying, then the connections. What is unfinished stays in the outbox and the broker.
    package func drain() async {
        await consumer.drain()
        try? await withDeadline(.seconds(3)) { try await self.relay.drain() }
        for worker in workers { worker.cancel() }
        publisher.stop()
    }

    /// Says it once, not at every attempt to connect.
    private func brokerChanged() {
        guard publisher.isConnected != wasConnected else { return }
        wasConnected = publisher.isConnected
        if wasConnected {
            note(Notice(.info, "connected to the broker"))
            relay.wake()
        } else {
            let reason = publisher.lastFault.map(Notice.reason) ?? "closed"
            note(Notice(.warning, "the broker is away: facts wait in the outbox", [("reason", reason)]))
        }
    }

    private func tidy() async {
        while !Task.isCancelled {
            do { try await housekeeping.run() } catch is CancellationError { return } catch {
                note(.fault("housekeeping", error))
                try? await EventLoop.sleep(for: .seconds(60))
            }
        }
    }

    private func tell() async {
        while !Task.isCancelled {
            do {
                try await EventLoop.sleep(for: .seconds(Int.random(in: 50...70)))
                try await housekeeping.tell()
            } catch is CancellationError { return } catch { note(.fault("telling of audit facts", error)) }
        }
    }

    private func watch() async {
        while !Task.isCancelled {
            try? await EventLoop.sleep(for: .seconds(30))
            await consumer.measure()
        }
    }
}
