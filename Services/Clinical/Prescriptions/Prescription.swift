import Contracts
import JSON
import Primitives

/// What a doctor ordered for a patient in one visit. It never changes once issued.
struct Prescription: Sendable {
    let id: PrescriptionID
    let visit: VisitID
    let patient: PatientID
    let practitioner: AccountID
    let issuedAt: Timestamp
    let localDate: LocalDate
    /// The last day on which it may be dispensed.
    let validUntil: LocalDate
    let items: [PrescriptionItem]
    /// Why the doctor went on in spite of alerts.
    let overrideReason: String?

    static let validDays = 30
    static let mostItems = 50

    var issued: PrescriptionIssued {
        PrescriptionIssued(
            prescriptionID: id, visitID: visit, patientID: patient, practitionerID: practitioner, validUntil: validUntil,
            items: items.map { PrescribedItem(itemID: $0.id, medicineID: $0.medicine.id, quantity: $0.quantity) })
    }

    /// `active` while it may be dispensed.
    func status(on today: LocalDate) -> String { today <= validUntil ? "active" : "expired" }
}

struct PrescriptionItem: Sendable {
    let id: PrescriptionItemID
    let medicine: MedicineCard
    let dose: Thousandths
    let doseUnit: String
    let frequencyPerDay: Int
    let durationDays: Int
    let quantity: Int
    /// What `quantity` counts.
    let unit: String
    let instructions: String?

    var words: ItemWords { ItemWords(name: medicine.name, genericName: medicine.genericName, atc: medicine.atc, dose: dose) }
}

enum PrescriptionError: Error, Equatable {
    case visitUnknown
    case medicineUnknown
    case medicineInactive
    case unlicensed
    case alerts([SafetyCheck.Alert])
}

/// The words of a prescription: sealed under the patient's key.
struct PrescriptionWords: Sendable {
    var overrideReason: String?
    /// By position; nil where the doctor gave none.
    var instructions: [String?]
    var alerts: [SafetyCheck.Alert] = []

    var stored: [UInt8] {
        var json = JSONWriter()
        json.object {
            $0.field("overrideReason", overrideReason)
            $0.array("instructions", instructions) { json, text in
                if let text { json.string(text) } else { json.null() }
            }
            $0.array("alerts", alerts) { json, alert in
                json.object {
                    $0.field("item", alert.item)
                    $0.field("kind", alert.kind.rawValue)
                    $0.field("detail", alert.detail)
                }
            }
        }
        return json.bytes
    }

    init(overrideReason: String?, instructions: [String?], alerts: [SafetyCheck.Alert]) {
        self.overrideReason = overrideReason
        self.instructions = instructions
        self.alerts = alerts
    }

    init(stored bytes: [UInt8]) throws(JSONError) {
        let data = try JSONObject(stored: bytes)
        overrideReason = try data.optional("overrideReason")
        instructions = try data.required("instructions", as: [JSONValue].self).map { String(json: $0) }
    }
}

/// A prescription as doctors, pharmacists and the patient read it.
struct PrescriptionView: JSONWritable {
    let prescription: Prescription
    var today: LocalDate?

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("id", prescription.id)
            $0.field("visitId", prescription.visit)
            $0.field("patientId", prescription.patient)
            $0.field("practitionerId", prescription.practitioner)
            $0.field("issuedAt", prescription.issuedAt)
            $0.field("localDate", prescription.localDate)
            $0.field("validUntil", prescription.validUntil)
            $0.field("status", today.map { prescription.status(on: $0) })
            $0.field("overrideReason", prescription.overrideReason)
            $0.array("items", prescription.items) { json, item in
                json.object { item.writeMembers(to: &$0) }
            }
        }
    }
}

extension PrescriptionItem {
    func writeMembers(to json: inout JSONWriter) {
        json.field("id", id)
        json.field("medicineId", medicine.id)
        json.field("medicineName", medicine.name)
        json.field("genericName", medicine.genericName)
        json.field("form", medicine.form)
        json.field("strength", medicine.strength)
        json.field("dose", Double(dose.value) / 1000)
        json.field("doseUnit", doseUnit)
        json.field("frequencyPerDay", frequencyPerDay)
        json.field("durationDays", durationDays)
        json.field("quantity", quantity)
        json.field("unit", unit)
        json.field("instructions", instructions)
    }
}
