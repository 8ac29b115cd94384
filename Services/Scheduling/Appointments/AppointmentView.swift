import JSON
import Primitives

/// The appointment as clients read one.
struct AppointmentView: JSONWritable {
    let appointment: Appointment

    let reason: String?
    let cancelReason: String?
    /// Of a restricted chart, to somebody who has no part in it: that there is an appointment, and nothing of what came of it.
    let isVeiled: Bool

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("id", appointment.id)
            $0.field("status", appointment.status.rawValue)
            $0.field("slotId", appointment.slot)
            $0.field("providerId", appointment.provider)
            $0.field("patientId", appointment.patient)
            $0.field("locationId", appointment.location)
            $0.field("date", appointment.localDate)
            $0.field("start", appointment.start)
            $0.field("end", appointment.end)
            $0.field("modality", appointment.modality.rawValue)
            $0.field("priority", appointment.priority.rawValue)
            $0.field("reason", reason)
            $0.field("cancelReason", cancelReason)
            $0.field("tokenId", isVeiled ? nil : appointment.token)
            $0.field("visitId", isVeiled ? nil : appointment.visit)
            $0.field("bookedAt", appointment.bookedAt)
            $0.field("answerBy", appointment.status == .requested ? appointment.answerBy : nil)
            $0.field("version", appointment.version)
        }
    }

    static let schema = Schema.object([
        .required("id", .id), .required("status", .choice(Appointment.Status.allCases.map(\.rawValue))),
        .required("slotId", .id), .required("providerId", .id), .required("patientId", .id),
        .required("locationId", .id), .required("date", .date), .required("start", .instant),
        .required("end", .instant),
        .required("modality", .choice(Appointment.Modality.allCases.map(\.rawValue))),
        .required("priority", .choice(Appointment.Priority.allCases.map(\.rawValue))),
        .optional("reason", .text(max: 500), "To the desk, the patient, the practitioner and, unless the chart is restricted, the site's nurses"),
        .optional("cancelReason", .text(max: 500), "To the same"), .optional("tokenId", .id),
        .optional("visitId", .id, "Of a restricted chart to the same"), .required("bookedAt", .instant),
        .optional("answerBy", .instant, "Until when a request is answered, or the time is free again"), .required("version", .integer(1...Int64.max)),
    ])
}

extension Appointment {
    /// What the audit trail keeps of it: ids and states, never the reason.
    var trace: JSONObject {
        JSONObject([
            ("status", .string(status.rawValue)), ("slotId", .string("\(slot)")),
            ("patientId", .string("\(patient)")), ("providerId", .string("\(provider)")),
            ("start", .string("\(start)")),
        ])
    }
}
