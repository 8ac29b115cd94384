import JSON
import Messaging
import Primitives

/// Somebody should be reminded of an appointment now: for workers that send by SMS, e-mail or else. Send only once per `reminderID`.
package struct ReminderDue: Event, Equatable {
    package static let name: EventName = "notifications.reminder.due.v1"

    package let reminderID: ID<ReminderKind>
    package let appointmentID: AppointmentID
    package let patientID: PatientID
    package let start: Timestamp
    package let rule: String

    package init(
        reminderID: ID<ReminderKind>, appointmentID: AppointmentID, patientID: PatientID, start: Timestamp, rule: String
    ) {
        self.reminderID = reminderID
        self.appointmentID = appointmentID
        self.patientID = patientID
        self.start = start
        self.rule = rule
    }

    package init(data: JSONObject) throws {
        reminderID = try data.required("reminderId")
        appointmentID = try data.required("appointmentId")
        patientID = try data.required("patientId")
        start = try data.required("start")
        rule = try data.required("rule")
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("reminderId", reminderID)
            $0.field("appointmentId", appointmentID)
            $0.field("patientId", patientID)
            $0.field("start", start)
            $0.field("rule", rule)
        }
    }

    package var subject: String { reminderID.description }
}

package enum ReminderKind {}
