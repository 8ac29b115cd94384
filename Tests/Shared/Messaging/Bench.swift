import AMQP
import JSON
import Loop
import Messaging
import Postgres
import Primitives
import TestSupport
import Testing

/// Something happened to a thing.
struct Happened: Event {
    static let name: EventName = "test.thing.happened.v1"
    let thing: String
    init(_ thing: String) { self.thing = thing }
    init(data: JSONObject) throws { thing = try data.required("thing") }
    func write(to json: inout JSONWriter) { json.object { $0.field("thing", thing) } }
    var subject: String { thing }
}

/// A schema, an exchange and one reaction that writes each event it sees into `effect`.
@LoopActor final class Workbench {
    let test: TestDatabase
    let amqp: AMQPConfiguration
    let settings: MessagingSettings
    let name = "test-" + String(UInt64.random(in: 0 ... .max), radix: 36)
    /// What the reaction does besides: it may throw or wait.
    var also: @LoopActor @Sendable (Happened, Transaction) async throws -> Void = { _, _ in }
    private(set) var runs: [String] = []
    private var messengers: [Messenger] = []

    var reaction: String { name + ".note-it" }
    var queues: ReactionQueues { ReactionQueues(reaction: reaction, event: Happened.name, settings) }

    nonisolated static func with(
        retries: [Duration] = [.milliseconds(100), .milliseconds(200)], deadline: Duration = .seconds(60),
        broker: AMQPConfiguration? = nil, _ body: @escaping @LoopActor @Sendable (Workbench) async throws -> Void
    ) async throws {
        try await onLoop {
            try await TestDatabase.with { test in
                try await test.asOwner(
                    """
                    create table effect (
                        place bigint generated always as identity, thing text not null,
                        tenant_id uuid not null default current_setting('app.tenant')::uuid);
                    grant select, insert on effect to "\(test.serviceRole)";
                    """)
                let direct = try TestServers.broker()
                let bench = Workbench(test, broker ?? direct, retries, deadline)
                try await Broker.declare(bench.topology, on: direct)
                do { try await body(bench) } catch {
                    await bench.close(direct)
                    throw error
                }
                await bench.close(direct)
            }
        }
    }

    private init(_ test: TestDatabase, _ amqp: AMQPConfiguration, _ retries: [Duration], _ deadline: Duration) {
        self.test = test
        self.amqp = amqp
        var settings = MessagingSettings()
        settings.exchange = name
        settings.retryDelays = retries
        settings.handlerDeadline = deadline
        self.settings = settings
    }

    var topology: Topology { .announcing(settings) + queues.topology }

    /// Relays and reacts like a service of its own.
    @discardableResult
    func serve(db: Database? = nil, takingMany: Bool = false) -> Messenger {
        let reaction = takingMany
            ? Reaction(toAll: Happened.self, named: reaction) { [weak self] facts, tx in
                for fact in facts { try await self?.react(to: fact.event, in: tx) }
            }
            : Reaction(to: Happened.self, named: reaction) { [weak self] event, _, tx in
                try await self?.react(to: event, in: tx)
            }
        let messenger = Messenger(
            service: "test", reactions: [reaction], db: db ?? test.db, amqp: amqp, settings: settings)
        messenger.start()
        messengers.append(messenger)
        return messenger
    }

    private func react(to event: Happened, in tx: Transaction) async throws {
        runs.append(event.thing)
        try await tx.run("insert into effect (thing) values (\(event.thing))")
        try await also(event, tx)
    }

    func announce(_ things: String..., revision: Int = 1) async throws {
        try await test.db.transaction(for: test.tenant) { tx in
            for thing in things { try tx.announce(Happened(thing), revision: revision) }
        }
    }

    var effects: [String] {
        get async throws {
            try await test.db.reader(for: test.tenant).all(
                "select thing from effect order by place", as: { row in try row.next(as: String.self) })
        }
    }

    func count(_ queue: String) async throws -> Int {
        try await Broker.counts(of: [queue], on: TestServers.broker())[queue] ?? 0
    }

    /// A message as the relay would send it.
    func message(_ thing: String, id: EventID = EventID()) -> OutgoingMessage {
        let envelope = Envelope(
            id: id, name: Happened.name, tenant: test.tenant, subject: thing, revision: 1, occurredAt: .now(), actor: nil,
            traceparent: Traceparent.fresh())
        return OutgoingMessage(
            exchange: settings.exchange, routingKey: Happened.name.text, messageID: id.description,
            contentType: CloudEvent.contentType,
            body: CloudEvent.encode(envelope, source: "test", data: Happened(thing).jsonBytes))
    }

    func publisher() async throws -> Publisher {
        let publisher = Publisher(try TestServers.broker(), name: "test")
        publisher.start()
        try await until("connected") { publisher.isConnected }
        return publisher
    }

    private func close(_ direct: AMQPConfiguration) async {
        for messenger in messengers { await messenger.drain() }
        try? await Broker.remove(topology, on: direct)
    }
}

/// Looks again and again until it is so; fails after fifteen seconds.
@LoopActor func until(_ what: String, _ isSo: @LoopActor () async throws -> Bool) async throws {
    for _ in 0..<1500 {
        if try await isSo() { return }
        try await EventLoop.sleep(for: .milliseconds(10))
    }
    throw NeverHappened(what: what)
}

struct NeverHappened: Error { let what: String }

struct NotTaken: Error { let outcomes: [Outcome] }

extension Publisher {
    /// What the broker did not confirm fails here, and not as an effect that never comes.
    func deliver(_ messages: [OutgoingMessage]) async throws {
        let outcomes = try await publish(messages)
        guard outcomes.allSatisfy({ $0 == .confirmed }) else { throw NotTaken(outcomes: outcomes) }
    }
}
