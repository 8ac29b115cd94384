import AMQP

/// How a service takes part in messaging; the defaults are production's.
package struct MessagingSettings: Sendable {
    /// The topic exchange that every event goes through.
    package var exchange = "polyclinic"
    /// How long a failed reaction waits before each further attempt; after the last it is parked.
    package var retryDelays: [Duration] = [.seconds(5), .seconds(30), .seconds(300)]
    /// A reaction that takes longer is cancelled and retried.
    package var handlerDeadline: Duration = .seconds(60)
    /// Reactions that run at once in this process: they share the write connections with requests.
    package var concurrency = 4
    /// How many events a reaction that takes many may hold, and so handle, at once: what one crash can drag along
    /// into the isolation lane. Together with `gathering` it bounds what a reaction can keep up: 64 was too few for 1,000 a second.
    /// At most what a `Subscriber.Source` may hold, 256.
    package var batch = 256
    /// How long the first event waits for others before a reaction that takes many goes to work: nobody notices it, and at a
    /// few hundred events a second it makes a tenth of the transactions (`docs/decisions/0006-events-in-batches.md`).
    package var gathering: Duration = .milliseconds(50)
    /// From this many unanswered deliveries on, a message is handled alone (`ReactionQueues.alone`).
    package var isolateAfter = 2
    /// In how many processes a message handled alone may be begun and not ended before it is parked.
    package var startsAlone = 3
    /// How long an event waits for a database that is away before it goes round by a retry queue.
    package var databasePatience: Duration = .seconds(600)
    /// How often the relay looks without having been woken.
    package var pollInterval: Duration = .seconds(1)
    package init() {}
}

/// The queues of one reaction.
///
///     <reaction>            work: what is to be done
///     <reaction>.retry.5s   failed once, waits; then back to work. Also .30s and .5m
///     <reaction>.alone      was in a process that died, twice: done one at a time, so that a message that kills
///                           its consumer drags no innocent one along
///     <reaction>.parking    failed too often: waits for a human (`redrive`)
package struct ReactionQueues: Sendable {
    package let work: String
    package let alone: String
    package let parking: String
    package let retries: [(queue: String, delay: Duration)]
    private let event: EventName
    private let exchange: String

    package init(_ reaction: Reaction, _ settings: MessagingSettings) {
        self.init(reaction: reaction.name, event: reaction.event, settings)
    }

    package init(reaction name: String, event: EventName, _ settings: MessagingSettings) {
        work = name
        alone = name + ".alone"
        parking = name + ".parking"
        retries = settings.retryDelays.map { ("\(name).retry.\(Self.word($0))", $0) }
        self.event = event
        exchange = settings.exchange
    }

    /// The limits are backstops: a full queue refuses, the relay keeps the event in its outbox and tries again.
    package var topology: Topology {
        Topology(
            queues: [
                .init(quorum: work, end: .movesTo(parking), maximumLength: 100_000, deliveryLimit: 20),
                .init(quorum: alone, end: .movesTo(parking), maximumLength: 10_000, deliveryLimit: 20),
                .init(quorum: parking, end: .stays),
            ]
                + retries.map {
                    .init(quorum: $0.queue, end: .movesTo(work), maximumLength: 100_000, timeToLive: $0.delay)
                },
            bindings: [.init(queue: work, exchange: exchange, key: event.text)])
    }

    private static func word(_ delay: Duration) -> String {
        let (seconds, attoseconds) = delay.components
        if attoseconds != 0 { return "\(seconds * 1000 + attoseconds / 1_000_000_000_000_000)ms" }
        return seconds % 60 == 0 && seconds > 0 ? "\(seconds / 60)m" : "\(seconds)s"
    }
}

extension Topology {
    /// The exchange, and where events go that nobody reacts to: kept for a week for whoever wonders, the oldest
    /// dropped first. `docs/decisions/0003-outbox-relay.md` says why they are not an error.
    package static func announcing(_ settings: MessagingSettings) -> Topology {
        let unrouted = settings.exchange + ".unrouted"
        return Topology(
            exchanges: [
                .init(unrouted, kind: "fanout"),
                .init(settings.exchange, kind: "topic", arguments: ["alternate-exchange": .text(unrouted)]),
            ],
            queues: [.init(quorum: unrouted, end: .dropped, maximumLength: 10_000, timeToLive: .seconds(7 * 86_400))],
            bindings: [.init(queue: unrouted, exchange: unrouted, key: "")])
    }

    /// Everything a service needs of the broker: what it announces into and the queues of its reactions.
    package static func of(_ reactions: [Reaction], _ settings: MessagingSettings = MessagingSettings()) -> Topology {
        reactions.reduce(announcing(settings)) { $0 + ReactionQueues($1, settings).topology }
    }
}
