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
    package let event: EventName
    package let name: String
    package let run: @LoopActor @Sendable (JSONObject, Envelope, Transaction) async throws -> Void

    package init<E: Event>(
        to _: E.Type, named name: String,
        _ body: @escaping @LoopActor @Sendable (E, Envelope, Transaction) async throws -> Void
    ) {
        event = E.name
        self.name = name
        run = { data, envelope, tx in try await body(E(data: data), envelope, tx) }
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
