import JSON
import Messaging
import Primitives

/// A patient waits.
package struct TokenIssued: Event, Equatable {
    package static let name: EventName = "queue.token.issued.v1"

    package let tokenID: TokenID
    package let number: String
    package let patientID: PatientID
    package let providerID: ProviderID
    package let locationID: LocationID
    package let appointmentID: AppointmentID?
    package let localDate: LocalDate
    package let priority: String
    package let issuedAt: Timestamp

    package init(
        tokenID: TokenID, number: String, patientID: PatientID, providerID: ProviderID, locationID: LocationID, appointmentID: AppointmentID?, localDate: LocalDate, priority: String, issuedAt: Timestamp
    ) {
        self.tokenID = tokenID
        self.number = number
        self.patientID = patientID
        self.providerID = providerID
        self.locationID = locationID
        self.appointmentID = appointmentID
        self.localDate = localDate
        self.priority = priority
        self.issuedAt = issuedAt
    }

    package init(data: JSONObject) throws {
        tokenID = try data.required("tokenId")
        number = try data.required("number")
        patientID = try data.required("patientId")
        providerID = try data.required("providerId")
        locationID = try data.required("locationId")
        appointmentID = try data.optional("appointmentId")
        localDate = try data.required("localDate")
        priority = try data.required("priority")
        issuedAt = try data.required("issuedAt")
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("tokenId", tokenID)
            $0.field("number", number)
            $0.field("patientId", patientID)
            $0.field("providerId", providerID)
            $0.field("locationId", locationID)
            $0.field("appointmentId", appointmentID)
            $0.field("localDate", localDate)
            $0.field("priority", priority)
            $0.field("issuedAt", issuedAt)
        }
    }

    package var subject: String { tokenID.description }
}

/// The patient is with the doctor now.
package struct TokenCalled: Event, Equatable {
    package static let name: EventName = "queue.token.called.v1"

    package let tokenID: TokenID
    package let patientID: PatientID
    package let providerID: ProviderID
    package let locationID: LocationID
    package let localDate: LocalDate
    package let waitedSeconds: Int
    package let calledAt: Timestamp

    package init(
        tokenID: TokenID, patientID: PatientID, providerID: ProviderID, locationID: LocationID, localDate: LocalDate, waitedSeconds: Int, calledAt: Timestamp
    ) {
        self.tokenID = tokenID
        self.patientID = patientID
        self.providerID = providerID
        self.locationID = locationID
        self.localDate = localDate
        self.waitedSeconds = waitedSeconds
        self.calledAt = calledAt
    }

    package init(data: JSONObject) throws {
        tokenID = try data.required("tokenId")
        patientID = try data.required("patientId")
        providerID = try data.required("providerId")
        locationID = try data.required("locationId")
        localDate = try data.required("localDate")
        waitedSeconds = try data.required("waitedSeconds")
        calledAt = try data.required("calledAt")
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("tokenId", tokenID)
            $0.field("patientId", patientID)
            $0.field("providerId", providerID)
            $0.field("locationId", locationID)
            $0.field("localDate", localDate)
            $0.field("waitedSeconds", waitedSeconds)
            $0.field("calledAt", calledAt)
        }
    }

    package var subject: String { tokenID.description }
}

/// The patient waits again, at the place the first arrival earned.
package struct TokenReturned: Event, Equatable {
    package static let name: EventName = "queue.token.returned.v1"

    package let tokenID: TokenID
    package let patientID: PatientID
    package let providerID: ProviderID
    package let localDate: LocalDate

    package init(
        tokenID: TokenID, patientID: PatientID, providerID: ProviderID, localDate: LocalDate
    ) {
        self.tokenID = tokenID
        self.patientID = patientID
        self.providerID = providerID
        self.localDate = localDate
    }

    package init(data: JSONObject) throws {
        tokenID = try data.required("tokenId")
        patientID = try data.required("patientId")
        providerID = try data.required("providerId")
        localDate = try data.required("localDate")
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("tokenId", tokenID)
            $0.field("patientId", patientID)
            $0.field("providerId", providerID)
            $0.field("localDate", localDate)
        }
    }

    package var subject: String { tokenID.description }
}

/// The patient was called and did not come.
package struct TokenSkipped: Event, Equatable {
    package static let name: EventName = "queue.token.skipped.v1"

    package let tokenID: TokenID
    package let patientID: PatientID
    package let providerID: ProviderID
    package let localDate: LocalDate

    package init(
        tokenID: TokenID, patientID: PatientID, providerID: ProviderID, localDate: LocalDate
    ) {
        self.tokenID = tokenID
        self.patientID = patientID
        self.providerID = providerID
        self.localDate = localDate
    }

    package init(data: JSONObject) throws {
        tokenID = try data.required("tokenId")
        patientID = try data.required("patientId")
        providerID = try data.required("providerId")
        localDate = try data.required("localDate")
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("tokenId", tokenID)
            $0.field("patientId", patientID)
            $0.field("providerId", providerID)
            $0.field("localDate", localDate)
        }
    }

    package var subject: String { tokenID.description }
}

/// The patient left without being seen.
package struct TokenLeft: Event, Equatable {
    package static let name: EventName = "queue.token.left.v1"

    package let tokenID: TokenID
    package let patientID: PatientID
    package let providerID: ProviderID
    package let localDate: LocalDate

    package init(
        tokenID: TokenID, patientID: PatientID, providerID: ProviderID, localDate: LocalDate
    ) {
        self.tokenID = tokenID
        self.patientID = patientID
        self.providerID = providerID
        self.localDate = localDate
    }

    package init(data: JSONObject) throws {
        tokenID = try data.required("tokenId")
        patientID = try data.required("patientId")
        providerID = try data.required("providerId")
        localDate = try data.required("localDate")
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("tokenId", tokenID)
            $0.field("patientId", patientID)
            $0.field("providerId", providerID)
            $0.field("localDate", localDate)
        }
    }

    package var subject: String { tokenID.description }
}

/// The consultation behind a token is over.
package struct TokenCompleted: Event, Equatable {
    package static let name: EventName = "queue.token.completed.v1"

    package let tokenID: TokenID
    package let patientID: PatientID
    package let providerID: ProviderID
    package let locationID: LocationID
    package let appointmentID: AppointmentID?
    package let localDate: LocalDate
    package let completedAt: Timestamp

    package init(
        tokenID: TokenID, patientID: PatientID, providerID: ProviderID, locationID: LocationID, appointmentID: AppointmentID?, localDate: LocalDate, completedAt: Timestamp
    ) {
        self.tokenID = tokenID
        self.patientID = patientID
        self.providerID = providerID
        self.locationID = locationID
        self.appointmentID = appointmentID
        self.localDate = localDate
        self.completedAt = completedAt
    }

    package init(data: JSONObject) throws {
        tokenID = try data.required("tokenId")
        patientID = try data.required("patientId")
        providerID = try data.required("providerId")
        locationID = try data.required("locationId")
        appointmentID = try data.optional("appointmentId")
        localDate = try data.required("localDate")
        completedAt = try data.required("completedAt")
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("tokenId", tokenID)
            $0.field("patientId", patientID)
            $0.field("providerId", providerID)
            $0.field("locationId", locationID)
            $0.field("appointmentId", appointmentID)
            $0.field("localDate", localDate)
            $0.field("completedAt", completedAt)
        }
    }

    package var subject: String { tokenID.description }
}

/// A practitioner is online, offline or on a break.
package struct PresenceChanged: Event, Equatable {
    package static let name: EventName = "queue.provider.presence_changed.v1"

    package let providerID: ProviderID
    package let status: String
    package let until: Timestamp?

    package init(
        providerID: ProviderID, status: String, until: Timestamp?
    ) {
        self.providerID = providerID
        self.status = status
        self.until = until
    }

    package init(data: JSONObject) throws {
        providerID = try data.required("providerId")
        status = try data.required("status")
        until = try data.optional("until")
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("providerId", providerID)
            $0.field("status", status)
            $0.field("until", until)
        }
    }

    package var subject: String { providerID.description }
}
