import JSON
import Messaging
import Primitives

extension Reaction {
    /// Whatever any service records becomes an entry of the trail.
    static let keepAuditEntry = Reaction(
        toAll: AuditRecorded.self, named: "reporting.keep-audit-entry"
    ) { recorded, tx in
        try await AuditStore(sql: tx).append(recorded.map { AuditEntry($0.event, $0.envelope) })
    }

    /// What was read and refused comes many to an event, and so do changes that left together.
    static let keepAccess = Reaction(toAll: AccessRecorded.self, named: "reporting.keep-access") { recorded, tx in
        try await AuditStore(sql: tx).append(
            recorded.flatMap { fact in fact.event.entries.map { AuditEntry($0, of: fact.event.service) } })
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
            trace: Traceparent.traceID(of: envelope.traceparent), patient: recorded.patientID,
            purpose: recorded.purpose)
    }

    init(_ entry: AccessRecorded.Entry, of service: String) {
        self.init(
            id: entry.id, at: entry.at, actor: entry.actorID, role: entry.role, service: service, action: entry.action,
            resource: entry.resource, resourceID: entry.resourceID, allowed: entry.allowed,
            before: entry.before.map { String(decoding: $0.jsonBytes, as: UTF8.self) },
            after: entry.after.map { String(decoding: $0.jsonBytes, as: UTF8.self) }, trace: entry.traceID,
            patient: entry.patientID, purpose: entry.purpose)
    }
}
