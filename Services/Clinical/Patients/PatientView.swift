import JSON
import Primitives

/// A patient's record as staff and the patient read it.
struct PatientView: JSONWritable {
    let id: PatientID
    let mrn: MedicalRecordNumber
    let active: Bool
    let location: LocationID
    let registeredAt: Timestamp
    let restricted: Bool
    /// The JSON object of everything personal, as it was sealed: spliced, not parsed.
    let personal: [UInt8]

    init(_ row: SealedPatient, personal: [UInt8]) {
        id = row.id
        mrn = row.mrn
        active = row.active
        location = row.location
        registeredAt = row.registeredAt
        restricted = row.restricted
        self.personal = personal
    }

    init(_ patient: Patient) {
        id = patient.id
        mrn = patient.mrn
        active = patient.active
        location = patient.location
        registeredAt = patient.registeredAt
        restricted = patient.restricted
        personal = patient.personal.jsonBytes
    }

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("id", id)
            $0.field("mrn", mrn)
            $0.field("active", active)
            $0.field("locationId", location)
            $0.field("registeredAt", registeredAt)
            $0.field("restricted", restricted)
            if personal.count > 2 { $0.raw(personal.dropFirst().dropLast()) }
        }
    }
}

/// One line of a list: enough to tell people apart, nothing about their health.
struct PatientLine: JSONWritable {
    let row: SealedPatient
    let personal: Personal

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("id", row.id)
            $0.field("mrn", row.mrn)
            $0.field("name", personal.name)
            $0.field("birthDate", personal.birthDate)
            $0.field("sex", personal.sex)
            $0.field("phone", personal.phone)
            $0.field("active", row.active)
        }
    }
}
