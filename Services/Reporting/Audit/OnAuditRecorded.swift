import Contracts
import JSON
import Messaging
import Primitives

extension Reaction {
    /// Whatever any service records becomes an entry of the trail.
    static let keepAuditEntry = Reaction(
        toAll: AuditRecorded.self, named: "reporting.keep-audit-entry"
    ) { recorded, tx in
        try await AuditStore(sql: tx).insert(recorded.map { AuditEntry($0.event, $0.envelope) })
    }
}

extension AuditEntry {
    init(_ recorded: AuditRecorded, _ envelope: Envelope) {
        self.init(
            id: envelope.id, at: envelope.occurredAt, actor: envelope.actor, role: recorded.role,
            service: recorded.service, action: recorded.action, resource: recorded.resource,
            resourceID: recorded.resourceID, allowed: recorded.allowed,
            before: recorded.before.map { String(decoding: $0.jsonBytes, as: UTF8.self) },
            after: recorded.after.map { String(decoding: $0.jsonBytes, as: UTF8.self) },
            trace: String(envelope.traceparent.dropFirst(3).prefix(32)))
    }
}
