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

/// Who and what stands behind a transaction: what announced facts and audit entries say of their cause.
package struct Cause: Sendable {
    package let tenant: TenantID
    package let actor: AccountID?
    package let role: String
    package let traceparent: String
    package init(tenant: TenantID, actor: AccountID?, role: String, traceparent: String) {
        self.tenant = tenant
        self.actor = actor
        self.role = role
        self.traceparent = traceparent
    }
}

extension Transaction {
    /// Announces a fact: it leaves for the broker if and only if this transaction commits.
    /// `revision` is the aggregate's version after the change.
    package func announce(_ event: some Event, revision: Int) throws { fatalError("skeleton") }

    /// Leaves an audit entry with this transaction. `before` and `after` hold no personal values:
    /// states, amounts, ids, and the names of personal fields that changed.
    package func audit(
        _ action: String, _ resource: String, _ id: String, before: JSONObject? = nil, after: JSONObject? = nil
    ) throws { fatalError("skeleton") }
}
