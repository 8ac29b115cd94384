import JSON
import Primitives

/// Somebody did something to something, in any service: what reporting's audit trail is made of. Declared here and not in Contracts,
/// like the other facts of the trail, because this module announces them for every service.
/// `before` and `after` hold states, amounts and ids, and the names of personal fields, never their values.
package struct AuditRecorded: Event {
    package static let name: EventName = "audit.entry.recorded.v1"

    package let service: String
    package let action: String
    package let resource: String
    package let resourceID: String
    package let role: String
    package let allowed: Bool
    package let before: JSONObject?
    package let after: JSONObject?
    /// Whose record it touches, and for which purpose (HL7 PurposeOfUse).
    package let patientID: PatientID?
    package let purpose: String?

    package init(
        service: String, action: String, resource: String, resourceID: String, role: String, allowed: Bool,
        before: JSONObject?, after: JSONObject?, patientID: PatientID? = nil, purpose: String? = nil
    ) {
        self.service = service
        self.action = action
        self.resource = resource
        self.resourceID = resourceID
        self.role = role
        self.allowed = allowed
        self.before = before
        self.after = after
        self.patientID = patientID
        self.purpose = purpose
    }

    package init(data: JSONObject) throws {
        service = try data.required("service")
        action = try data.required("action")
        resource = try data.required("resource")
        resourceID = try data.required("resourceId")
        role = try data.required("role")
        allowed = try data.required("allowed")
        before = try data.optional("before")
        after = try data.optional("after")
        patientID = try data.optional("patientId")
        purpose = try data.optional("purpose")
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("service", service)
            $0.field("action", action)
            $0.field("resource", resource)
            $0.field("resourceId", resourceID)
            $0.field("role", role)
            $0.field("allowed", allowed)
            $0.field("before", before)
            $0.field("after", after)
            $0.field("patientId", patientID)
            $0.field("purpose", purpose)
        }
    }

    package var subject: String { resourceID }
}

/// Records of patients were read, or somebody was refused: what one process committed at once, each with its own id. Changes too, where
/// the entries of several leave together: `AuditRecorded` is what a change leaves alone.
///
/// One event for many, because a read must cost like a read (`AccessLog`) and half of all messages were audit entries (`Parcel`).
package struct AccessRecorded: Event {
    package static let name: EventName = "audit.access.recorded.v1"

    package struct Entry: Sendable, JSONReadable, JSONWritable {
        package let id: EventID
        package let at: Timestamp
        package let actorID: AccountID?
        package let role: String
        package let action: String
        package let resource: String
        package let resourceID: String
        package let allowed: Bool
        package let patientID: PatientID?
        package let purpose: String?
        package let before: JSONObject?
        package let after: JSONObject?
        package let traceID: String

        package init(
            id: EventID, at: Timestamp, actorID: AccountID?, role: String, action: String, resource: String,
            resourceID: String, allowed: Bool, patientID: PatientID?, purpose: String?,
            before: JSONObject? = nil, after: JSONObject?, traceID: String
        ) {
            self.id = id
            self.at = at
            self.actorID = actorID
            self.role = role
            self.action = action
            self.resource = resource
            self.resourceID = resourceID
            self.allowed = allowed
            self.patientID = patientID
            self.purpose = purpose
            self.before = before
            self.after = after
            self.traceID = traceID
        }

        package init?(json: JSONValue) {
            guard case .object(let data) = json else { return nil }
            do {
                id = try data.required("id")
                at = try data.required("at")
                actorID = try data.optional("actorId")
                role = try data.required("role")
                action = try data.required("action")
                resource = try data.required("resource")
                resourceID = try data.required("resourceId")
                allowed = try data.required("allowed")
                patientID = try data.optional("patientId")
                purpose = try data.optional("purpose")
                before = try data.optional("before")
                after = try data.optional("after")
                traceID = try data.required("traceId")
            } catch { return nil }
        }

        package func write(to json: inout JSONWriter) {
            json.object {
                $0.field("id", id)
                $0.field("at", at)
                $0.field("actorId", actorID)
                $0.field("role", role)
                $0.field("action", action)
                $0.field("resource", resource)
                $0.field("resourceId", resourceID)
                $0.field("allowed", allowed)
                $0.field("patientId", patientID)
                $0.field("purpose", purpose)
                $0.field("before", before)
                $0.field("after", after)
                $0.field("traceId", traceID)
            }
        }
    }

    package let service: String
    package let entries: [Entry]

    package init(service: String, entries: [Entry]) {
        self.service = service
        self.entries = entries
    }

    package init(data: JSONObject) throws {
        service = try data.required("service")
        entries = try data.required("entries")
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("service", service)
            $0.field("entries", entries)
        }
    }

    package var subject: String { service }
}

/// A service's database saw these audit entries leave for the broker. Reporting has them all, or somebody kept one back.
///
/// The database writes it itself: `number` has no gaps within a service and tenant, and of a fact about reads the first
/// entry stands for all. `docs/decisions/0042-audit-facts-are-counted-out.md` says why.
package struct AuditFactsSent: Event {
    package static let name: EventName = "audit.facts.sent.v1"

    package let service: String
    package let number: Int64
    package let ids: [EventID]

    package init(service: String, number: Int64, ids: [EventID]) {
        self.service = service
        self.number = number
        self.ids = ids
    }

    package init(data: JSONObject) throws {
        service = try data.required("service")
        number = try data.required("number")
        ids = try data.required("ids")
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("service", service)
            $0.field("number", number)
            $0.field("ids", ids)
        }
    }

    package var subject: String { service }
}
