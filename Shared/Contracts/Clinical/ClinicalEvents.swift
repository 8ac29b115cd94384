import JSON
import Messaging
import Primitives

/// A patient has a record.
package struct PatientRegistered: Event, Equatable {
    package static let name: EventName = "clinical.patient.registered.v1"

    package let patientID: PatientID
    package let locationID: LocationID
    package let localDate: LocalDate

    package init(
        patientID: PatientID, locationID: LocationID, localDate: LocalDate
    ) {
        self.patientID = patientID
        self.locationID = locationID
        self.localDate = localDate
    }

    package init(data: JSONObject) throws {
        patientID = try data.required("patientId")
        locationID = try data.required("locationId")
        localDate = try data.required("localDate")
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("patientId", patientID)
            $0.field("locationId", locationID)
            $0.field("localDate", localDate)
        }
    }

    package var subject: String { patientID.description }
}

/// Something in a patient's demographics changed; `fields` are the names of what changed, never the values.
package struct PatientChanged: Event, Equatable {
    package static let name: EventName = "clinical.patient.changed.v1"

    package let patientID: PatientID
    package let fields: [String]

    package init(
        patientID: PatientID, fields: [String]
    ) {
        self.patientID = patientID
        self.fields = fields
    }

    package init(data: JSONObject) throws {
        patientID = try data.required("patientId")
        fields = try data.required("fields")
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("patientId", patientID)
            $0.field("fields", fields)
        }
    }

    package var subject: String { patientID.description }
}

/// The record is closed to new bookings; nothing of it is deleted.
package struct PatientInactivated: Event, Equatable {
    package static let name: EventName = "clinical.patient.inactivated.v1"

    package let patientID: PatientID

    package init(
        patientID: PatientID
    ) {
        self.patientID = patientID
    }

    package init(data: JSONObject) throws {
        patientID = try data.required("patientId")
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("patientId", patientID)
        }
    }

    package var subject: String { patientID.description }
}

/// Nobody can read anything about this person any more: whoever keeps something of them forgets it.
package struct PatientErased: Event, Equatable {
    package static let name: EventName = "clinical.patient.erased.v1"

    package let patientID: PatientID

    package init(
        patientID: PatientID
    ) {
        self.patientID = patientID
    }

    package init(data: JSONObject) throws {
        patientID = try data.required("patientId")
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("patientId", patientID)
        }
    }

    package var subject: String { patientID.description }
}

/// Somebody agreed to a purpose, or took that back.
package struct ConsentChanged: Event, Equatable {
    package static let name: EventName = "clinical.consent.changed.v1"

    package let consentID: ID<ConsentKind>
    package let patientID: PatientID
    package let purpose: String
    package let isGiven: Bool
    /// Of two changes that arrive in the wrong order the later one counts.
    package let at: Timestamp

    package init(
        consentID: ID<ConsentKind>, patientID: PatientID, purpose: String, isGiven: Bool, at: Timestamp
    ) {
        self.consentID = consentID
        self.patientID = patientID
        self.purpose = purpose
        self.isGiven = isGiven
        self.at = at
    }

    package init(data: JSONObject) throws {
        consentID = try data.required("consentId")
        patientID = try data.required("patientId")
        purpose = try data.required("purpose")
        isGiven = try data.required("given")
        at = try data.required("at")
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("consentId", consentID)
            $0.field("patientId", patientID)
            $0.field("purpose", purpose)
            $0.field("given", isGiven)
            $0.field("at", at)
        }
    }

    package var subject: String { consentID.description }
}

package enum ConsentKind {}

/// A consultation has begun.
package struct VisitStarted: Event, Equatable {
    package static let name: EventName = "clinical.visit.started.v1"

    package let visitID: VisitID
    package let patientID: PatientID
    package let practitionerID: AccountID
    package let tokenID: TokenID?
    package let appointmentID: AppointmentID?
    package let locationID: LocationID
    package let localDate: LocalDate

    package init(
        visitID: VisitID, patientID: PatientID, practitionerID: AccountID, tokenID: TokenID?, appointmentID: AppointmentID?, locationID: LocationID, localDate: LocalDate
    ) {
        self.visitID = visitID
        self.patientID = patientID
        self.practitionerID = practitionerID
        self.tokenID = tokenID
        self.appointmentID = appointmentID
        self.locationID = locationID
        self.localDate = localDate
    }

    package init(data: JSONObject) throws {
        visitID = try data.required("visitId")
        patientID = try data.required("patientId")
        practitionerID = try data.required("practitionerId")
        tokenID = try data.optional("tokenId")
        appointmentID = try data.optional("appointmentId")
        locationID = try data.required("locationId")
        localDate = try data.required("localDate")
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("visitId", visitID)
            $0.field("patientId", patientID)
            $0.field("practitionerId", practitionerID)
            $0.field("tokenId", tokenID)
            $0.field("appointmentId", appointmentID)
            $0.field("locationId", locationID)
            $0.field("localDate", localDate)
        }
    }

    package var subject: String { visitID.description }
}

/// A consultation is signed: from now on only addenda.
package struct VisitCompleted: Event, Equatable {
    package static let name: EventName = "clinical.visit.completed.v1"

    package let visitID: VisitID
    package let patientID: PatientID
    package let practitionerID: AccountID
    package let tokenID: TokenID?
    package let appointmentID: AppointmentID?
    package let locationID: LocationID
    package let localDate: LocalDate
    package let completedAt: Timestamp

    package init(
        visitID: VisitID, patientID: PatientID, practitionerID: AccountID, tokenID: TokenID?, appointmentID: AppointmentID?, locationID: LocationID, localDate: LocalDate, completedAt: Timestamp
    ) {
        self.visitID = visitID
        self.patientID = patientID
        self.practitionerID = practitionerID
        self.tokenID = tokenID
        self.appointmentID = appointmentID
        self.locationID = locationID
        self.localDate = localDate
        self.completedAt = completedAt
    }

    package init(data: JSONObject) throws {
        visitID = try data.required("visitId")
        patientID = try data.required("patientId")
        practitionerID = try data.required("practitionerId")
        tokenID = try data.optional("tokenId")
        appointmentID = try data.optional("appointmentId")
        locationID = try data.required("locationId")
        localDate = try data.required("localDate")
        completedAt = try data.required("completedAt")
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("visitId", visitID)
            $0.field("patientId", patientID)
            $0.field("practitionerId", practitionerID)
            $0.field("tokenId", tokenID)
            $0.field("appointmentId", appointmentID)
            $0.field("locationId", locationID)
            $0.field("localDate", localDate)
            $0.field("completedAt", completedAt)
        }
    }

    package var subject: String { visitID.description }
}

/// Medicines may be dispensed until `validUntil` (the last usable day).
package struct PrescriptionIssued: Event, Equatable {
    package static let name: EventName = "clinical.prescription.issued.v1"

    package let prescriptionID: PrescriptionID
    package let visitID: VisitID
    package let patientID: PatientID
    package let practitionerID: AccountID
    package let validUntil: LocalDate
    package let items: [PrescribedItem]

    package init(
        prescriptionID: PrescriptionID, visitID: VisitID, patientID: PatientID, practitionerID: AccountID, validUntil: LocalDate, items: [PrescribedItem]
    ) {
        self.prescriptionID = prescriptionID
        self.visitID = visitID
        self.patientID = patientID
        self.practitionerID = practitionerID
        self.validUntil = validUntil
        self.items = items
    }

    package init(data: JSONObject) throws {
        prescriptionID = try data.required("prescriptionId")
        visitID = try data.required("visitId")
        patientID = try data.required("patientId")
        practitionerID = try data.required("practitionerId")
        validUntil = try data.required("validUntil")
        items = try data.required("items")
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("prescriptionId", prescriptionID)
            $0.field("visitId", visitID)
            $0.field("patientId", patientID)
            $0.field("practitionerId", practitionerID)
            $0.field("validUntil", validUntil)
            $0.field("items", items)
        }
    }

    package var subject: String { prescriptionID.description }
}

/// One line of a prescription, as the till and the pharmacy counter need it.
package struct PrescribedItem: Sendable, Equatable, JSONReadable, JSONWritable {
    package let itemID: PrescriptionItemID
    package let medicineID: MedicineID
    /// In base (dispensing) units: tablets, millilitres.
    package let quantity: Int

    package init(itemID: PrescriptionItemID, medicineID: MedicineID, quantity: Int) {
        self.itemID = itemID
        self.medicineID = medicineID
        self.quantity = quantity
    }

    package init?(json: JSONValue) {
        guard let data = JSONObject(json: json), let itemID = try? data.required("itemId", as: PrescriptionItemID.self),
            let medicineID = try? data.required("medicineId", as: MedicineID.self),
            let quantity = try? data.required("quantity", as: Int.self)
        else { return nil }
        self.init(itemID: itemID, medicineID: medicineID, quantity: quantity)
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("itemId", itemID)
            $0.field("medicineId", medicineID)
            $0.field("quantity", quantity)
        }
    }
}

/// Tells the grants of broken glasses apart.
package enum GlassGrant {}
