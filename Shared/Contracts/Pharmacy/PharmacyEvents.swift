import JSON
import Messaging
import Primitives

/// The catalogue has a medicine, or a changed one: the card is whole, so the newest revision replaces the older.
package struct MedicineListed: Event, Equatable {
    package static let name: EventName = "pharmacy.medicine.listed.v1"

    package let medicineID: MedicineID
    package let name: String
    package let genericName: String?
    package let form: String
    package let strength: String?
    package let atc: String?
    package let unitPrice: Money
    package let taxBasisPoints: Int
    package let active: Bool

    package init(
        medicineID: MedicineID, name: String, genericName: String?, form: String, strength: String?, atc: String?, unitPrice: Money, taxBasisPoints: Int, active: Bool
    ) {
        self.medicineID = medicineID
        self.name = name
        self.genericName = genericName
        self.form = form
        self.strength = strength
        self.atc = atc
        self.unitPrice = unitPrice
        self.taxBasisPoints = taxBasisPoints
        self.active = active
    }

    package init(data: JSONObject) throws {
        medicineID = try data.required("medicineId")
        name = try data.required("name")
        genericName = try data.optional("genericName")
        form = try data.required("form")
        strength = try data.optional("strength")
        atc = try data.optional("atc")
        unitPrice = try data.required("unitPrice")
        taxBasisPoints = try data.required("taxBasisPoints")
        active = try data.required("active")
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("medicineId", medicineID)
            $0.field("name", name)
            $0.field("genericName", genericName)
            $0.field("form", form)
            $0.field("strength", strength)
            $0.field("atc", atc)
            $0.field("unitPrice", unitPrice)
            $0.field("taxBasisPoints", taxBasisPoints)
            $0.field("active", active)
        }
    }

    package var subject: String { medicineID.description }
}

/// A batch gained or lost: `kind` is IN, OUT or ADJUSTMENT, `delta` is signed.
package struct StockMoved: Event, Equatable {
    package static let name: EventName = "pharmacy.stock.moved.v1"

    package let movementID: MovementID
    package let batchID: BatchID
    package let medicineID: MedicineID
    package let kind: String
    package let delta: Int
    package let onHand: Int
    package let reason: String?
    package let localDate: LocalDate

    package init(
        movementID: MovementID, batchID: BatchID, medicineID: MedicineID, kind: String, delta: Int, onHand: Int, reason: String?, localDate: LocalDate
    ) {
        self.movementID = movementID
        self.batchID = batchID
        self.medicineID = medicineID
        self.kind = kind
        self.delta = delta
        self.onHand = onHand
        self.reason = reason
        self.localDate = localDate
    }

    package init(data: JSONObject) throws {
        movementID = try data.required("movementId")
        batchID = try data.required("batchId")
        medicineID = try data.required("medicineId")
        kind = try data.required("kind")
        delta = try data.required("delta")
        onHand = try data.required("onHand")
        reason = try data.optional("reason")
        localDate = try data.required("localDate")
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("movementId", movementID)
            $0.field("batchId", batchID)
            $0.field("medicineId", medicineID)
            $0.field("kind", kind)
            $0.field("delta", delta)
            $0.field("onHand", onHand)
            $0.field("reason", reason)
            $0.field("localDate", localDate)
        }
    }

    package var subject: String { batchID.description }
}

/// What is left of a medicine fell below its reorder level.
package struct StockRanLow: Event, Equatable {
    package static let name: EventName = "pharmacy.stock.ran_low.v1"

    package let medicineID: MedicineID
    package let onHand: Int
    package let reorderLevel: Int

    package init(
        medicineID: MedicineID, onHand: Int, reorderLevel: Int
    ) {
        self.medicineID = medicineID
        self.onHand = onHand
        self.reorderLevel = reorderLevel
    }

    package init(data: JSONObject) throws {
        medicineID = try data.required("medicineId")
        onHand = try data.required("onHand")
        reorderLevel = try data.required("reorderLevel")
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("medicineId", medicineID)
            $0.field("onHand", onHand)
            $0.field("reorderLevel", reorderLevel)
        }
    }

    package var subject: String { medicineID.description }
}

/// Medicines were handed out; `complete` when nothing of the prescription remains.
package struct PrescriptionDispensed: Event, Equatable {
    package static let name: EventName = "pharmacy.prescription.dispensed.v1"

    package let dispensingID: DispensingID
    package let prescriptionID: PrescriptionID
    package let patientID: PatientID
    package let complete: Bool
    package let quantity: Int
    package let localDate: LocalDate

    package init(
        dispensingID: DispensingID, prescriptionID: PrescriptionID, patientID: PatientID, complete: Bool, quantity: Int, localDate: LocalDate
    ) {
        self.dispensingID = dispensingID
        self.prescriptionID = prescriptionID
        self.patientID = patientID
        self.complete = complete
        self.quantity = quantity
        self.localDate = localDate
    }

    package init(data: JSONObject) throws {
        dispensingID = try data.required("dispensingId")
        prescriptionID = try data.required("prescriptionId")
        patientID = try data.required("patientId")
        complete = try data.required("complete")
        quantity = try data.required("quantity")
        localDate = try data.required("localDate")
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("dispensingId", dispensingID)
            $0.field("prescriptionId", prescriptionID)
            $0.field("patientId", patientID)
            $0.field("complete", complete)
            $0.field("quantity", quantity)
            $0.field("localDate", localDate)
        }
    }

    package var subject: String { prescriptionID.description }
}
