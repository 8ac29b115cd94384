import JSON
import Messaging
import Primitives

package enum PrivacyRequestKind {}

/// Somebody asked about a record: to be told, or to have it corrected, erased or restricted.
package struct PrivacyRequestFiled: Event, Equatable {
    package static let name: EventName = "clinical.privacy_request.filed.v1"

    package let requestID: ID<PrivacyRequestKind>
    package let patientID: PatientID
    package let kind: String
    package let dueOn: LocalDate

    package init(requestID: ID<PrivacyRequestKind>, patientID: PatientID, kind: String, dueOn: LocalDate) {
        self.requestID = requestID
        self.patientID = patientID
        self.kind = kind
        self.dueOn = dueOn
    }

    package init(data: JSONObject) throws {
        requestID = try data.required("requestId")
        patientID = try data.required("patientId")
        kind = try data.required("kind")
        dueOn = try data.required("dueOn")
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("requestId", requestID)
            $0.field("patientId", patientID)
            $0.field("kind", kind)
            $0.field("dueOn", dueOn)
        }
    }

    package var subject: String { requestID.description }
}

/// A request about a record has remained open until a week before its last day.
package struct PrivacyRequestRemainedOpen: Event, Equatable {
    package static let name: EventName = "clinical.privacy_request.remained_open.v1"

    package let requestID: ID<PrivacyRequestKind>
    package let patientID: PatientID
    package let kind: String
    package let dueOn: LocalDate

    package init(requestID: ID<PrivacyRequestKind>, patientID: PatientID, kind: String, dueOn: LocalDate) {
        self.requestID = requestID
        self.patientID = patientID
        self.kind = kind
        self.dueOn = dueOn
    }

    package init(data: JSONObject) throws {
        requestID = try data.required("requestId")
        patientID = try data.required("patientId")
        kind = try data.required("kind")
        dueOn = try data.required("dueOn")
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("requestId", requestID)
            $0.field("patientId", patientID)
            $0.field("kind", kind)
            $0.field("dueOn", dueOn)
        }
    }

    package var subject: String { requestID.description }
}

/// A request about a record was answered: done or refused.
package struct PrivacyRequestAnswered: Event, Equatable {
    package static let name: EventName = "clinical.privacy_request.answered.v1"

    package let requestID: ID<PrivacyRequestKind>
    package let patientID: PatientID
    package let kind: String
    package let outcome: String

    package init(requestID: ID<PrivacyRequestKind>, patientID: PatientID, kind: String, outcome: String) {
        self.requestID = requestID
        self.patientID = patientID
        self.kind = kind
        self.outcome = outcome
    }

    package init(data: JSONObject) throws {
        requestID = try data.required("requestId")
        patientID = try data.required("patientId")
        kind = try data.required("kind")
        outcome = try data.required("outcome")
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("requestId", requestID)
            $0.field("patientId", patientID)
            $0.field("kind", kind)
            $0.field("outcome", outcome)
        }
    }

    package var subject: String { requestID.description }
}
