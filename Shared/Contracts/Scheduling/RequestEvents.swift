import JSON
import Messaging
import Primitives

/// A patient asks for a practitioner's time, and holds it until the answer. Nothing is booked.
package struct AppointmentRequested: Event, Equatable {
    package static let name: EventName = "scheduling.appointment.requested.v1"

    package let appointmentID: AppointmentID
    package let patientID: PatientID
    package let providerID: ProviderID
    package let locationID: LocationID
    package let slotID: SlotID
    package let start: Timestamp
    package let end: Timestamp
    package let localDate: LocalDate
    package let modality: String
    package let answerBy: Timestamp

    package init(
        appointmentID: AppointmentID, patientID: PatientID, providerID: ProviderID, locationID: LocationID, slotID: SlotID,
        start: Timestamp, end: Timestamp, localDate: LocalDate, modality: String, answerBy: Timestamp
    ) {
        self.appointmentID = appointmentID
        self.patientID = patientID
        self.providerID = providerID
        self.locationID = locationID
        self.slotID = slotID
        self.start = start
        self.end = end
        self.localDate = localDate
        self.modality = modality
        self.answerBy = answerBy
    }

    package init(data: JSONObject) throws {
        appointmentID = try data.required("appointmentId")
        patientID = try data.required("patientId")
        providerID = try data.required("providerId")
        locationID = try data.required("locationId")
        slotID = try data.required("slotId")
        start = try data.required("start")
        end = try data.required("end")
        localDate = try data.required("localDate")
        modality = try data.required("modality")
        answerBy = try data.required("answerBy")
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("appointmentId", appointmentID)
            $0.field("patientId", patientID)
            $0.field("providerId", providerID)
            $0.field("locationId", locationID)
            $0.field("slotId", slotID)
            $0.field("start", start)
            $0.field("end", end)
            $0.field("localDate", localDate)
            $0.field("modality", modality)
            $0.field("answerBy", answerBy)
        }
    }

    package var subject: String { appointmentID.description }
}

/// A request came to nothing and the time is free again: declined, expired, or cancelled by who asked.
package struct AppointmentRequestEnded: Event, Equatable {
    package static let name: EventName = "scheduling.appointment.request_ended.v1"

    package let appointmentID: AppointmentID
    package let patientID: PatientID
    package let providerID: ProviderID
    package let start: Timestamp
    package let localDate: LocalDate
    package let outcome: String
    /// A role; nil when time did it.
    package let endedBy: String?

    package init(
        appointmentID: AppointmentID, patientID: PatientID, providerID: ProviderID, start: Timestamp, localDate: LocalDate,
        outcome: String, endedBy: String?
    ) {
        self.appointmentID = appointmentID
        self.patientID = patientID
        self.providerID = providerID
        self.start = start
        self.localDate = localDate
        self.outcome = outcome
        self.endedBy = endedBy
    }

    package init(data: JSONObject) throws {
        appointmentID = try data.required("appointmentId")
        patientID = try data.required("patientId")
        providerID = try data.required("providerId")
        start = try data.required("start")
        localDate = try data.required("localDate")
        outcome = try data.required("outcome")
        endedBy = try data.optional("endedBy")
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("appointmentId", appointmentID)
            $0.field("patientId", patientID)
            $0.field("providerId", providerID)
            $0.field("start", start)
            $0.field("localDate", localDate)
            $0.field("outcome", outcome)
            $0.field("endedBy", endedBy)
        }
    }

    package var subject: String { appointmentID.description }
}
