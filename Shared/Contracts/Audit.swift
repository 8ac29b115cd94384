import JSON
import Messaging
import Primitives

/// Somebody did something to something, in any service: what reporting's audit trail is made of.
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

    package init(
        service: String, action: String, resource: String, resourceID: String, role: String, allowed: Bool,
        before: JSONObject?, after: JSONObject?
    ) {
        self.service = service
        self.action = action
        self.resource = resource
        self.resourceID = resourceID
        self.role = role
        self.allowed = allowed
        self.before = before
        self.after = after
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
        }
    }

    package var subject: String { resourceID }
}
