import JSON
import Primitives

/// `<service>.<aggregate>.<past_tense>.v<major>`: routing key, golden file name and documentation key.
package struct EventName: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    package let text: String
    package init(stringLiteral text: String) { self.text = text }
    package init(_ text: String) { self.text = text }
    package var description: String { text }
    package var service: String { String(text.prefix { $0 != "." }) }
    package var aggregate: String { text.split(separator: ".").dropFirst().first.map(String.init) ?? "" }
}

/// A fact that one service announces and others react to: identifiers, times, amounts and reasons, never names.
package protocol Event: Sendable, JSONWritable {
    static var name: EventName { get }
    /// The identifier of the aggregate it is about, as text.
    var subject: String { get }
    init(data: JSONObject) throws
}

/// The CloudEvents 1.0 attributes around an event.
package struct Envelope: Sendable {
    package let id: EventID
    package let name: EventName
    package let tenant: TenantID
    package let subject: String
    /// Version of the aggregate after the change: lets a consumer ignore the past.
    package let revision: Int
    package let occurredAt: Timestamp
    package let actor: AccountID?
    package let traceparent: String
    package init(
        id: EventID, name: EventName, tenant: TenantID, subject: String, revision: Int, occurredAt: Timestamp,
        actor: AccountID?, traceparent: String
    ) {
        self.id = id
        self.name = name
        self.tenant = tenant
        self.subject = subject
        self.revision = revision
        self.occurredAt = occurredAt
        self.actor = actor
        self.traceparent = traceparent
    }
}
