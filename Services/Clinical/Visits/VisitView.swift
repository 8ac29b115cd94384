import JSON
import Primitives

/// A visit as clinicians and the patient read it.
struct VisitView: JSONWritable {
    let visit: Visit
    var addenda: [VisitWords]?

    func write(to json: inout JSONWriter) { json.object { writeMembers(to: &$0) } }

    func writeMembers(to json: inout JSONWriter) {
        json.field("id", visit.id)
        json.field("status", visit.status)
        json.field("patientId", visit.patient)
        json.field("practitionerId", visit.practitioner)
        json.field("locationId", visit.location)
        json.field("localDate", visit.localDate)
        json.field("tokenId", visit.token)
        json.field("appointmentId", visit.appointment)
        json.field("startedAt", visit.startedAt)
        json.field("completedAt", visit.completedAt)
        visit.findings.writeMembers(to: &json)
        json.field("vitals", visit.vitals)
        json.field("observations", CodedVitals(vitals: visit.vitals))
        json.field("addenda", addenda)
    }
}

/// One line of a patient's history. The desk sees when and with whom, not what was found.
struct VisitLine: JSONWritable {
    let row: SealedVisit
    /// Nil for callers who may not read clinical content.
    let visit: Visit?

    func write(to json: inout JSONWriter) {
        json.object {
            if let visit { return VisitView(visit: visit).writeMembers(to: &$0) }
            $0.field("id", row.id)
            $0.field("status", row.status)
            $0.field("patientId", row.patient)
            $0.field("practitionerId", row.practitioner)
            $0.field("locationId", row.location)
            $0.field("localDate", row.localDate)
            $0.field("startedAt", row.startedAt)
            $0.field("completedAt", row.completedAt)
        }
    }
}

/// What is kept of a visit when it is signed: everything, in one value.
struct VisitSnapshot: JSONWritable {
    let visit: Visit
    let mrn: MedicalRecordNumber
    let notes: [VisitWords]
    let prescriptions: [Prescription]

    func write(to json: inout JSONWriter) {
        json.object {
            VisitView(visit: visit).writeMembers(to: &$0)
            $0.field("mrn", mrn)
            $0.field("notes", notes)
            $0.array("prescriptions", prescriptions) { $0.value(PrescriptionView(prescription: $1)) }
        }
    }
}

/// Bytes that are one JSON value already.
struct StoredJSONValue: JSONWritable {
    let bytes: [UInt8]
    func write(to json: inout JSONWriter) { json.raw(bytes) }
}
