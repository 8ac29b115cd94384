import JSON
import Postgres
import Primitives

/// Somebody did something to something. It is written once and never altered.
struct AuditEntry: JSONWritable {
    let id: EventID
    let at: Timestamp
    let actor: AccountID?
    let role: String
    let service: String
    let action: String
    let resource: String
    let resourceID: String
    let allowed: Bool
    /// JSON as Postgres keeps it.
    let before: String?
    let after: String?
    let trace: String
    /// Whose record it touches, and for which purpose.
    let patient: PatientID?
    let purpose: String?

    /// What the actor is called now: told with an entry, and never in it.
    var actorName: String?

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("id", id)
            $0.field("at", at)
            $0.field("actorId", actor)
            $0.field("actorName", actorName)
            $0.field("role", role)
            $0.field("service", service)
            $0.field("action", action)
            $0.field("resource", resource)
            $0.field("resourceId", resourceID)
            $0.field("allowed", allowed)
            if let before {
                $0.key("before")
                $0.raw(before.utf8)
            }
            if let after {
                $0.key("after")
                $0.raw(after.utf8)
            }
            $0.field("patientId", patient)
            $0.field("purpose", purpose)
            $0.field("traceId", trace)
        }
    }
}

extension AuditEntry {
    init(row: inout Row) throws {
        id = try row.next()
        at = try row.next()
        actor = try row.next()
        role = try row.next()
        service = try row.next()
        action = try row.next()
        resource = try row.next()
        resourceID = try row.next()
        allowed = try row.next()
        before = try row.next()
        after = try row.next()
        trace = try row.next()
        patient = try row.next()
        purpose = try row.next()
    }
}
