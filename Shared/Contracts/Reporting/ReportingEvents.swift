import JSON
import Messaging
import Primitives

/// A tenant's audit chain had come this far, signed: whoever keeps it can prove what was cut off or written anew.
package struct AuditCheckpointed: Event, Equatable {
    package static let name: EventName = "reporting.audit.checkpointed.v1"

    package let tenantID: TenantID
    package let size: Int
    package let head: String
    package let at: Timestamp
    package let keyID: String
    package let signature: String

    package init(tenantID: TenantID, size: Int, head: String, at: Timestamp, keyID: String, signature: String) {
        self.tenantID = tenantID
        self.size = size
        self.head = head
        self.at = at
        self.keyID = keyID
        self.signature = signature
    }

    package init(data: JSONObject) throws {
        tenantID = try data.required("tenantId")
        size = try data.required("size")
        head = try data.required("head")
        at = try data.required("at")
        keyID = try data.required("keyId")
        signature = try data.required("signature")
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("tenantId", tenantID)
            $0.field("size", size)
            $0.field("head", head)
            $0.field("at", at)
            $0.field("keyId", keyID)
            $0.field("signature", signature)
        }
    }

    package var subject: String { tenantID.description }
}
