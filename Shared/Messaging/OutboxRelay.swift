import AMQP
import Loop
import Postgres
import Primitives

/// Carries committed facts from the outbox to the broker: at least once, in the order they were announced.
///
/// One relay of a service publishes at a time: it holds a transaction-level advisory lock while it publishes,
/// so a crash frees the lock and another replica goes on. It asks for what is unpublished, never for "greater
/// than the last seen": numbers are given before commit, so a late commit would be jumped over.
/// `docs/decisions/0003-outbox-relay.md` holds the alternatives.
@LoopActor package final class OutboxRelay {
    package struct Metrics: Sendable {
        package var published = 0
        /// Attempts that were not confirmed; the row stays and is tried again.
        package var retried = 0
        /// Age of the oldest fact that has not left yet.
        package var oldestUnpublished: Duration = .zero
        package var pruned = 0
    }

    package private(set) var metrics = Metrics()
    private let service: String
    private let db: Database
    private let publisher: Publisher
    private let settings: MessagingSettings
    private let note: Note
    private let alarm = Alarm()
    private var book = RelayBook()
    private var lookedAtAge = ContinuousClock.now - .seconds(60)

    package init(
        service: String, db: Database, publisher: Publisher, settings: MessagingSettings = MessagingSettings(),
        note: @escaping Note = { _ in }
    ) {
        self.service = service
        self.db = db
        self.publisher = publisher
        self.settings = settings
        self.note = note
    }

    /// Something was committed. Local and free: `pg_notify` would make commits queue behind one lock.
    package func wake() {
        book.wake()
        alarm.ring()
    }

    /// Publishes until cancelled.
    package func run() async {
        while !Task.isCancelled {
            do {
                try await publish(everything: false)
                await alarm.wait(upTo: book.pause(upTo: settings.pollInterval, at: .now))
            } catch {
                note(.fault("outbox relay", error))
                await alarm.wait(upTo: .milliseconds(Int.random(in: 250...1000)))
            }
        }
    }

    /// Publishes everything that is there now.
    package func drain() async throws { try await publish(everything: true) }

    private func publish(everything: Bool) async throws {
        let before = metrics.published
        while try await publishBatch(everything: everything) {}
        let published = metrics.published - before
        // For a gauge that is read every some seconds: not a transaction of its own for each batch.
        if published == 0 && metrics.oldestUnpublished > .zero || ContinuousClock.now - lookedAtAge > .seconds(1) {
            metrics.oldestUnpublished = try await age()
            lookedAtAge = .now
        }
    }

    /// True when there may be more.
    private func publishBatch(everything: Bool) async throws -> Bool {
        guard publisher.isConnected, !publisher.isBlocked else { return false }
        let held = book.heldBack(at: .now, everything: everything)
        let floor = book.floor(at: .now, everything: everything)
        return try await db.systemTransaction(forMany: true) { tx in
            guard try await self.leads(tx) else { return false }
            let rows = try await tx.all(
                """
                select id, tenant_id, type, subject, revision, actor, traceparent, data::text, occurred_at, seq
                from outbox
                where published_at is null and seq > \(floor) and type <> all(\(held)::text[])
                order by seq
                limit \(unsafe: String(RelayBook.batch))
                """,
                as: Announced.init(row:))
            guard !rows.isEmpty else { return false }
            let parcels = Parcel.all(of: rows, from: self.service)
            let answers = try await self.publisher.publish(parcels.map { $0.message(to: self.settings.exchange, from: self.service) })
            let outcomes = Parcel.outcomes(of: rows.count, in: parcels, answers)
            let result = self.book.settle(rows.map(\.envelope.name.text), upTo: rows.last?.seq ?? 0, outcomes, at: .now)
            let confirmed = result.confirmed.map { rows[$0].envelope.id }
            if !confirmed.isEmpty {
                // A mark that a crash forgets costs a second delivery, which inboxes know; waiting for the disk would delay the next batch.
                tx.later("set local synchronous_commit = off")
                try await tx.run("update outbox set published_at = now() where id = any(\(confirmed)::uuid[])")
            }
            self.account(rows, outcomes, result)
            return result.goesOn
        }
    }

    private func leads(_ tx: Transaction) async throws -> Bool {
        try await tx.first(
            "select pg_try_advisory_xact_lock(hashtextextended(current_schema() || '.outbox', 0))",
            as: { row in try row.next(as: Bool.self) }) ?? false
    }

    private func account(_ rows: [Announced], _ outcomes: [Outcome], _ result: RelayBook.Result) {
        metrics.published += result.confirmed.count
        metrics.retried += rows.count - result.confirmed.count
        for index in result.refused { note(.refused(rows[index].envelope.name, outcomes[index])) }
    }

    private func age() async throws -> Duration {
        try await db.systemTransaction { tx in
            let oldest = try await tx.first(
                "select occurred_at from outbox where published_at is null order by seq limit 1",
                as: { row in try row.next(as: Timestamp.self) })
            return oldest.map { .microseconds(max(0, Timestamp.now().microseconds - $0.microseconds)) } ?? .zero
        }
    }

    /// Sends every fact since `since` again, for a broker that lost its disk or a reaction that is new: whoever
    /// has handled one already ignores it. Returns how many.
    @discardableResult
    package func replay(since: Timestamp, type: EventName? = nil) async throws -> Int {
        let count = try await db.systemTransaction { tx in
            try await tx.run(
                """
                update outbox set published_at = null
                where published_at >= \(since) and (\(type?.text)::text is null or type = \(type?.text)::text)
                """)
        }
        wake()
        return count
    }

    func pruned(_ count: Int) { metrics.pruned += count }
}

/// One row of the outbox.
struct Announced {
    let envelope: Envelope
    let data: String
    let seq: Int64

    init(row: inout Row) throws(PostgresError) {
        let id = try row.next(as: EventID.self)
        let tenant = try row.next(as: TenantID.self)
        let name = EventName(try row.next(as: String.self))
        let subject = try row.next(as: String.self)
        let revision = try row.next(as: Int.self)
        let actor = try row.next(as: AccountID?.self)
        let traceparent = try row.next(as: String.self)
        data = try row.next()
        envelope = Envelope(
            id: id, name: name, tenant: tenant, subject: subject, revision: revision,
            occurredAt: try row.next(), actor: actor, traceparent: traceparent)
        seq = try row.next()
    }
}
