import JSON
import Messaging
import Primitives

/// A practitioner can be booked, or is known under this account.
package struct ProviderListed: Event, Equatable {
    package static let name: EventName = "scheduling.provider.listed.v1"

    package let providerID: ProviderID
    package let accountID: AccountID
    package let locationID: LocationID
    package let zone: String

    package init(
        providerID: ProviderID, accountID: AccountID, locationID: LocationID, zone: String
    ) {
        self.providerID = providerID
        self.accountID = accountID
        self.locationID = locationID
        self.zone = zone
    }

    package init(data: JSONObject) throws {
        providerID = try data.required("providerId")
        accountID = try data.required("accountId")
        locationID = try data.required("locationId")
        zone = try data.required("zone")
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("providerId", providerID)
            $0.field("accountId", accountID)
            $0.field("locationId", locationID)
            $0.field("zone", zone)
        }
    }

    package var subject: String { providerID.description }
}

/// A practitioner has new bookable time.
package struct SlotsOpened: Event, Equatable {
    package static let name: EventName = "scheduling.slots.opened.v1"

    package let providerID: ProviderID
    package let from: LocalDate
    package let to: LocalDate
    package let created: Int

    package init(
        providerID: ProviderID, from: LocalDate, to: LocalDate, created: Int
    ) {
        self.providerID = providerID
        self.from = from
        self.to = to
        self.created = created
    }

    package init(data: JSONObject) throws {
        providerID = try data.required("providerId")
        from = try data.required("from")
        to = try data.required("to")
        created = try data.required("created")
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("providerId", providerID)
            $0.field("from", from)
            $0.field("to", to)
            $0.field("created", created)
        }
    }

    package var subject: String { providerID.description }
}

/// A patient holds a confirmed time with a practitioner.
package struct AppointmentBooked: Event, Equatable {
    package static let name: EventName = "scheduling.appointment.booked.v1"

    package let appointmentID: AppointmentID
    package let patientID: PatientID
    package let providerID: ProviderID
    package let locationID: LocationID
    package let slotID: SlotID
    package let start: Timestamp
    package let end: Timestamp
    package let localDate: LocalDate
    package let modality: String
    package let priority: String

    package init(
        appointmentID: AppointmentID, patientID: PatientID, providerID: ProviderID, locationID: LocationID, slotID: SlotID, start: Timestamp, end: Timestamp, localDate: LocalDate, modality: String, priority: String
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
        self.priority = priority
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
        priority = try data.required("priority")
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
            $0.field("priority", priority)
        }
    }

    package var subject: String { appointmentID.description }
}

/// The same appointment now has another time.
package struct AppointmentRescheduled: Event, Equatable {
    package static let name: EventName = "scheduling.appointment.rescheduled.v1"

    package let appointmentID: AppointmentID
    package let patientID: PatientID
    package let providerID: ProviderID
    package let locationID: LocationID
    package let slotID: SlotID
    package let start: Timestamp
    package let end: Timestamp
    package let localDate: LocalDate
    package let previousStart: Timestamp
    package let modality: String
    package let priority: String
    /// Whose time it was, when it is somebody else's now.
    package let previousProviderID: ProviderID?

    package init(
        appointmentID: AppointmentID, patientID: PatientID, providerID: ProviderID, locationID: LocationID, slotID: SlotID, start: Timestamp, end: Timestamp, localDate: LocalDate, previousStart: Timestamp, modality: String, priority: String,
        previousProviderID: ProviderID? = nil
    ) {
        self.appointmentID = appointmentID
        self.patientID = patientID
        self.providerID = providerID
        self.locationID = locationID
        self.slotID = slotID
        self.start = start
        self.end = end
        self.localDate = localDate
        self.previousStart = previousStart
        self.modality = modality
        self.priority = priority
        self.previousProviderID = previousProviderID
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
        previousStart = try data.required("previousStart")
        modality = try data.required("modality")
        priority = try data.required("priority")
        previousProviderID = try data.optional("previousProviderId")
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
            $0.field("previousStart", previousStart)
            $0.field("modality", modality)
            $0.field("priority", priority)
            $0.field("previousProviderId", previousProviderID)
        }
    }

    package var subject: String { appointmentID.description }
}

/// The time is free again. `cancelledBy` is a role.
package struct AppointmentCancelled: Event, Equatable {
    package static let name: EventName = "scheduling.appointment.cancelled.v1"

    package let appointmentID: AppointmentID
    package let patientID: PatientID
    package let providerID: ProviderID
    package let start: Timestamp
    package let localDate: LocalDate
    package let cancelledBy: String

    package init(
        appointmentID: AppointmentID, patientID: PatientID, providerID: ProviderID, start: Timestamp, localDate: LocalDate, cancelledBy: String
    ) {
        self.appointmentID = appointmentID
        self.patientID = patientID
        self.providerID = providerID
        self.start = start
        self.localDate = localDate
        self.cancelledBy = cancelledBy
    }

    package init(data: JSONObject) throws {
        appointmentID = try data.required("appointmentId")
        patientID = try data.required("patientId")
        providerID = try data.required("providerId")
        start = try data.required("start")
        localDate = try data.required("localDate")
        cancelledBy = try data.required("cancelledBy")
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("appointmentId", appointmentID)
            $0.field("patientId", patientID)
            $0.field("providerId", providerID)
            $0.field("start", start)
            $0.field("localDate", localDate)
            $0.field("cancelledBy", cancelledBy)
        }
    }

    package var subject: String { appointmentID.description }
}

/// The patient of an appointment has checked in.
package struct AppointmentArrived: Event, Equatable {
    package static let name: EventName = "scheduling.appointment.arrived.v1"

    package let appointmentID: AppointmentID
    package let patientID: PatientID
    package let tokenID: TokenID

    package init(
        appointmentID: AppointmentID, patientID: PatientID, tokenID: TokenID
    ) {
        self.appointmentID = appointmentID
        self.patientID = patientID
        self.tokenID = tokenID
    }

    package init(data: JSONObject) throws {
        appointmentID = try data.required("appointmentId")
        patientID = try data.required("patientId")
        tokenID = try data.required("tokenId")
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("appointmentId", appointmentID)
            $0.field("patientId", patientID)
            $0.field("tokenId", tokenID)
        }
    }

    package var subject: String { appointmentID.description }
}

/// The visit behind an appointment is complete.
package struct AppointmentFulfilled: Event, Equatable {
    package static let name: EventName = "scheduling.appointment.fulfilled.v1"

    package let appointmentID: AppointmentID
    package let patientID: PatientID
    package let visitID: VisitID

    package init(
        appointmentID: AppointmentID, patientID: PatientID, visitID: VisitID
    ) {
        self.appointmentID = appointmentID
        self.patientID = patientID
        self.visitID = visitID
    }

    package init(data: JSONObject) throws {
        appointmentID = try data.required("appointmentId")
        patientID = try data.required("patientId")
        visitID = try data.required("visitId")
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("appointmentId", appointmentID)
            $0.field("patientId", patientID)
            $0.field("visitId", visitID)
        }
    }

    package var subject: String { appointmentID.description }
}

/// A practitioner cannot be booked or queued for any more: the account was deactivated or is no longer a doctor's.
package struct ProviderRetired: Event, Equatable {
    package static let name: EventName = "scheduling.provider.retired.v1"

    package let providerID: ProviderID
    package let accountID: AccountID

    package init(providerID: ProviderID, accountID: AccountID) {
        self.providerID = providerID
        self.accountID = accountID
    }

    package init(data: JSONObject) throws {
        providerID = try data.required("providerId")
        accountID = try data.required("accountId")
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("providerId", providerID)
            $0.field("accountId", accountID)
        }
    }

    package var subject: String { providerID.description }
}
