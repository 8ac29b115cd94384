import JSON
import Loop
import Postgres
import Primitives

/// What a service does about another's fact. Its queue is named after it: `<service>.<what-it-does>`.
///
/// The transaction already holds the inbox row, so the body never mentions duplicates; it is scoped to the
/// event's tenant. Throwing `Redelivery.later` retries through the tiers; `Redelivery.reject` parks it at once;
/// any other error is retried up to the limit, then parked.
package struct Reaction: Sendable {
    package typealias Delivered = (data: JSONObject, envelope: Envelope)

    package let event: EventName
    package let name: String
    /// Whether it takes many facts of a tenant in one transaction; otherwise it is given one at a time.
    package let takesMany: Bool
    package let run: @LoopActor @Sendable ([Delivered], Transaction) async throws -> Void

    package init<E: Event>(
        to _: E.Type, named name: String,
        _ body: @escaping @LoopActor @Sendable (E, Envelope, Transaction) async throws -> Void
    ) {
        event = E.name
        self.name = name
        takesMany = false
        run = { facts, tx in
            for (data, envelope) in facts { try await body(E(data: data), envelope, tx) }
        }
    }

    /// Takes what waits for it in one transaction, in the order of delivery: for reactions to what happens often.
    ///
    /// All of it or nothing: when it throws, nothing was kept and each fact comes again alone. It holds the rows of
    /// many subjects until commit, so it touches them in an order of its own (sorted by key) or it would wait in
    /// circles with its like. It announces nothing: its facts have several causes.
    /// `docs/decisions/0006-events-in-batches.md` says what that saves.
    package init<E: Event>(
        toAll _: E.Type, named name: String,
        _ body: @escaping @LoopActor @Sendable ([Fact<E>], Transaction) async throws -> Void
    ) {
        event = E.name
        self.name = name
        takesMany = true
        run = { facts, tx in try await body(facts.map { Fact(event: try E(data: $0.data), envelope: $0.envelope) }, tx) }
    }
}

/// An event as a reaction to many gets it.
package struct Fact<E: Event>: Sendable {
    package let event: E
    package let envelope: Envelope
    package init(event: E, envelope: Envelope) {
        self.event = event
        self.envelope = envelope
    }
}

extension Array {
    /// What is left when of each subject only the newest revision counts, in the order of subjects.
    package func newest<E: Event>() -> Self where Element == Fact<E> {
        var bySubject: [String: Fact<E>] = [:]
        for fact in self where fact.envelope.revision >= bySubject[fact.envelope.subject]?.envelope.revision ?? 0 {
            bySubject[fact.envelope.subject] = fact
        }
        return bySubject.sorted { $0.key < $1.key }.map(\.value)
    }
}

package enum Redelivery: Error {
    case later
    case reject
}

extension Transaction {
    /// Whether `envelope` is newer than everything this reaction has seen about its subject; remembers it if so.
    /// For reactions that keep one row per subject and have no revision of their own to compare with.
    package func isNews(_ envelope: Envelope, to reaction: String) async throws -> Bool {
        try await run(
            """
            insert into inbox_revision (reaction, tenant_id, subject, revision)
            values (\(reaction), \(envelope.tenant), \(envelope.subject), \(envelope.revision))
            on conflict on constraint inbox_revision_newest
            do update set revision = excluded.revision where inbox_revision.revision < excluded.revision
            """) == 1
    }
}
