import AMQP
import JSON
import Loop
import Postgres
import Primitives

/// Runs this service's reactions: each event has its effect once, however often it is delivered.
///
/// The inbox row commits with the effect, then the broker is told. What fails goes round by the retry queues and
/// is parked in the end; a message leaves a queue only when it is done or confirmed in the next one. Events about
/// one subject are handled one after another, in the order of delivery; others side by side, or, where the reaction
/// takes many, whatever waits for it of one tenant in one transaction (`docs/decisions/0006-events-in-batches.md`).
@LoopActor package final class Consumer {
    package struct Metrics: Sendable {
        package var handled = 0
        package var duplicates = 0
        package var retried = 0
        package var parked = 0
        package var isolated = 0
        /// Transactions that had the effects of more than one event.
        package var batches = 0
        /// Messages in each reaction's parking queue; more than none wants a human.
        package var parking: [String: Int] = [:]
    }

    package private(set) var metrics = Metrics()
    package var isConnected: Bool { subscriber.isConnected }

    private let service: String
    private let db: Database
    private let publisher: Publisher
    private let subscriber: Subscriber
    private let amqp: AMQPConfiguration
    private let settings: MessagingSettings
    private let note: Note
    private let lanes: [String: Lane]
    private let turnstile: Turnstile
    /// What is being handled, and what waits behind it, per reaction and subject (or tenant, where it takes many).
    private var chains: [String: [Work]] = [:]
    private var unfinished = 0
    private var whenIdle: [CheckedContinuation<Void, Never>] = []

    /// One queue that we consume, and what it means.
    private struct Lane: Sendable {
        let reaction: Reaction
        let queues: ReactionQueues
        let isIsolated: Bool
    }

    private struct Work {
        let delivery: Delivery
        let event: CloudEvent
        let lane: Lane
    }

    package init(
        service: String, reactions: [Reaction], db: Database, publisher: Publisher, amqp: AMQPConfiguration,
        settings: MessagingSettings = MessagingSettings(), note: @escaping Note = { _ in }
    ) {
        self.service = service
        self.db = db
        self.publisher = publisher
        self.amqp = amqp
        self.settings = settings
        self.note = note
        turnstile = Turnstile(settings.concurrency)
        var lanes: [String: Lane] = [:]
        var sources: [Subscriber.Source] = []
        for reaction in reactions {
            let queues = ReactionQueues(reaction, settings)
            precondition(lanes[queues.work] == nil, "two reactions are named \(reaction.name)")
            lanes[queues.work] = Lane(reaction: reaction, queues: queues, isIsolated: false)
            lanes[queues.alone] = Lane(reaction: reaction, queues: queues, isIsolated: true)
            sources.append(.init(queues.work, prefetch: UInt16(reaction.takesMany ? settings.batch : 10)))
            sources.append(.init(queues.alone, prefetch: 1))
        }
        self.lanes = lanes
        subscriber = Subscriber(amqp, name: service, topology: .of(reactions, settings), from: sources)
    }

    /// Starts connecting and consuming; returns at once.
    package func start() {
        guard !lanes.isEmpty else { return }
        subscriber.start { [weak self] in self?.accept($0) }
    }

    /// Takes nothing new, finishes what is here within `limit`, and closes. The broker keeps the rest.
    package func drain(within limit: Duration = .seconds(15)) async {
        guard !lanes.isEmpty else { return }
        subscriber.pause()
        if unfinished > 0 {
            let timer = EventLoop.shared.after(limit) { self.becomeIdle() }
            await withCheckedContinuation { whenIdle.append($0) }
            EventLoop.shared.cancelTimer(timer)
        }
        subscriber.stop()
    }

    /// Looks how full the parking queues are.
    package func measure() async {
        let parking = lanes.values.filter { !$0.isIsolated }.map(\.queues.parking)
        guard !parking.isEmpty, let counts = try? await Broker.counts(of: parking, on: amqp) else { return }
        metrics.parking = counts
    }

    // MARK: from delivery to reaction

    private func accept(_ delivery: Delivery) {
        guard let lane = lanes[delivery.queue] else { return }
        unfinished += 1
        let event: CloudEvent
        do { event = try CloudEvent(delivery.body) } catch {
            EventLoop.spawn {
                await self.park(delivery, lane, because: error)
                self.finished()
            }
            return
        }
        if !lane.isIsolated, delivery.deliveryCount >= settings.isolateAfter {
            EventLoop.spawn {
                self.metrics.isolated += 1
                self.note(Notice(.warning, "a message was with consumers that died", Self.fields(lane, event)))
                await self.move(delivery, event.envelope.id.description, to: lane.queues.alone, adding: [:])
                self.finished()
            }
            return
        }
        let subject = lane.reaction.takesMany ? "" : event.envelope.subject
        let key = "\(lane.reaction.name)|\(event.envelope.tenant)|\(subject)"
        let work = Work(delivery: delivery, event: event, lane: lane)
        if chains[key] != nil {
            chains[key]?.append(work)
        } else {
            chains[key] = [work]
            EventLoop.spawn { await self.work(off: key) }
        }
    }

    private func work(off key: String) async {
        while let chain = chains[key], !chain.isEmpty {
            if chain[0].lane.reaction.takesMany, chain.count < settings.batch { try? await EventLoop.sleep(for: settings.gathering) }
            await turnstile.enter()
            // Whatever came while we waited comes along.
            let next = Self.together(chains[key] ?? chain)
            if await !handleAll(next) {
                for one in next { await one.lane.isIsolated ? handleAlone(one) : handle(one) }
            }
            turnstile.leave()
            chains[key]?.removeFirst(next.count)
            for _ in next { finished() }
        }
        chains[key] = nil
    }

    /// Those at the head of a chain that one transaction may take: a message from the isolation lane stays alone.
    private static func together(_ chain: [Work]) -> [Work] {
        guard let first = chain.first, first.lane.reaction.takesMany, !first.lane.isIsolated else {
            return Array(chain.prefix(1))
        }
        return Array(chain.prefix { !$0.lane.isIsolated })
    }

    private func finished() {
        unfinished -= 1
        if unfinished == 0 { becomeIdle() }
    }

    private func becomeIdle() {
        let waiting = whenIdle
        whenIdle = []
        for one in waiting { one.resume() }
    }

    private func handle(_ work: Work) async {
        let patience = ContinuousClock.now + settings.databasePatience
        while subscriber.isValid(work.delivery.tag) {
            do {
                let isNew = try await withDeadline(settings.handlerDeadline) { try await self.react(to: work) }
                if isNew { metrics.handled += 1 } else { metrics.duplicates += 1 }
                return subscriber.acknowledge(work.delivery.tag)
            } catch let error as PostgresError where error.code == .unavailable {
                // Not the event's fault: it keeps its place and its attempts while the database is away.
                guard ContinuousClock.now < patience else { return await goRound(work) }
                try? await EventLoop.sleep(for: .milliseconds(Int.random(in: 200...2000)))
            } catch Redelivery.reject {
                return await park(work.delivery, work.lane, because: Redelivery.reject)
            } catch {
                return await retry(work, because: error)
            }
        }
        // The connection is another one by now: the broker delivers it again, and the inbox knows.
    }

    /// Counts that it was begun, in a transaction of its own, before it may end the process. While the database is away
    /// nothing begins: a message that is only held when a connection breaks or a process dies has done nothing wrong.
    private func handleAlone(_ work: Work) async {
        let patience = ContinuousClock.now + settings.databasePatience
        var starts: Int?
        while starts == nil {
            guard subscriber.isValid(work.delivery.tag) else { return }
            do { starts = try await begin(work) } catch let error as PostgresError where error.code == .unavailable {
                guard ContinuousClock.now < patience else { return await goRound(work) }
                try? await EventLoop.sleep(for: .milliseconds(Int.random(in: 200...2000)))
            } catch {
                return await retry(work, because: error)
            }
        }
        if let starts, starts > settings.startsAlone {
            await park(work.delivery, work.lane, because: EndsItsConsumer())
        } else {
            await handle(work)
        }
        // It came to an end, whichever. Should this fail, one start too many is counted.
        _ = try? await db.transaction(for: work.event.envelope.tenant) { tx in
            try await tx.run(
                "delete from isolation where reaction = \(work.lane.reaction.name) and event_id = \(work.event.envelope.id)")
        }
    }

    private func begin(_ work: Work) async throws -> Int {
        try await db.transaction(for: work.event.envelope.tenant) { tx in
            let starts = try await tx.first(
                """
                insert into isolation (reaction, event_id) values (\(work.lane.reaction.name), \(work.event.envelope.id))
                on conflict (reaction, event_id) do update set starts = isolation.starts + 1
                returning starts
                """, as: { row in try row.next(as: Int.self) })
            return starts ?? 1
        }
    }

    /// All of them in one transaction. False when they are not many, or when it failed and left nothing: then each is handled alone, so that
    /// what one of them has is not held against its neighbours.
    private func handleAll(_ works: [Work]) async -> Bool {
        let valid = works.filter { subscriber.isValid($0.delivery.tag) }
        // The connection is another one by now: the broker delivers the others again, and the inbox knows.
        guard valid.count > 1, let first = valid.first else { return false }
        do {
            let handled = try await withDeadline(settings.handlerDeadline) {
                try await self.react(to: valid, of: first.lane.reaction, for: first.event.envelope.tenant)
            }
            metrics.batches += 1
            metrics.handled += handled
            metrics.duplicates += valid.count - handled
            subscriber.acknowledge(valid.map(\.delivery.tag))
            return true
        } catch {
            return false
        }
    }

    /// How many of them were new: an event may be among them twice, or have had its effect already.
    private func react(to works: [Work], of reaction: Reaction, for tenant: TenantID) async throws -> Int {
        try await db.transaction(for: tenant) { tx in
            let ids = works.map(\.event.envelope.id)
            var new = Set(
                try await tx.all(
                    """
                    insert into inbox (reaction, event_id)
                    select \(reaction.name), id from unnest(\(ids)::uuid[]) as id order by id
                    on conflict do nothing
                    returning event_id
                    """, as: { row in try row.next(as: EventID.self) }))
            let count = new.count
            let facts = works.filter { new.remove($0.event.envelope.id) != nil }.map(\.event)
            guard !facts.isEmpty else { return 0 }
            tx.context = Cause(tenant: tenant, actor: nil, role: "service", traceparent: Traceparent.fresh())
            try await reaction.run(facts.map { ($0.data, $0.envelope) }, tx)
            return count
        }
    }

    /// False when the event has had its effect already.
    private func react(to work: Work) async throws -> Bool {
        let envelope = work.event.envelope
        let reaction = work.lane.reaction
        return try await db.transaction(for: envelope.tenant) { tx in
            let isNew =
                try await tx.run(
                    """
                    insert into inbox (reaction, event_id) values (\(reaction.name), \(envelope.id))
                    on conflict do nothing
                    """) == 1
            guard isNew else { return false }
            tx.context = Cause(
                tenant: envelope.tenant, actor: envelope.actor, role: "service",
                traceparent: Traceparent.child(of: envelope.traceparent))
            try await reaction.run([(work.event.data, envelope)], tx)
            return true
        }
    }

    // MARK: when it fails

    private func retry(_ work: Work, because error: any Error) async {
        let attempts = (work.delivery.headers["x-attempts"]?.number ?? 0) + 1
        guard attempts <= work.lane.queues.retries.count else {
            return await park(work.delivery, work.lane, because: error)
        }
        metrics.retried += 1
        let reason = Notice.reason(error)
        note(
            Notice(
                .warning, "a reaction failed and will be tried again",
                Self.fields(work.lane, work.event) + [("attempt", String(attempts)), ("reason", reason)]))
        await move(
            work.delivery, work.event.envelope.id.description, to: work.lane.queues.retries[attempts - 1].queue,
            adding: ["x-attempts": .number(Int64(attempts)), "x-reason": .text(reason)])
    }

    /// Waits in the last retry queue without having used up an attempt.
    private func goRound(_ work: Work) async {
        guard let last = work.lane.queues.retries.last else { return }
        metrics.retried += 1
        await move(work.delivery, work.event.envelope.id.description, to: last.queue, adding: [:])
    }

    private func park(_ delivery: Delivery, _ lane: Lane, because error: any Error) async {
        metrics.parked += 1
        let reason = Notice.reason(error)
        note(Notice(.error, "an event was parked", [("reaction", lane.reaction.name), ("reason", reason)]))
        await move(delivery, delivery.messageID, to: lane.queues.parking, adding: ["x-reason": .text(reason)])
    }

    /// Confirmed there, then acknowledged here. While the broker does not take it, it stays where it is.
    private func move(_ delivery: Delivery, _ id: String, to queue: String, adding: [String: AMQPValue]) async {
        var headers: [String: AMQPValue] = ["x-attempts": delivery.headers["x-attempts"] ?? 0]
        headers.merge(adding) { $1 }
        let message = OutgoingMessage(
            exchange: "", routingKey: queue, messageID: "\(id)>\(queue)", contentType: CloudEvent.contentType,
            headers: headers, body: delivery.body)
        while subscriber.isValid(delivery.tag) {
            if let outcome = try? await publisher.publish([message]).first, outcome == .confirmed {
                return subscriber.acknowledge(delivery.tag)
            }
            try? await EventLoop.sleep(for: .milliseconds(Int.random(in: 200...2000)))
        }
    }

    private static func fields(_ lane: Lane, _ event: CloudEvent) -> [(name: String, value: String)] {
        [("reaction", lane.reaction.name), ("event", event.envelope.name.text), ("id", event.envelope.id.description)]
    }
}

/// Why a message is parked that was begun alone and never ended.
struct EndsItsConsumer: Error {}
