import Contracts
import JSON
import Primitives

/// One consultation, from its beginning to the signature.
///
/// Every rule about a visit is in this file. Once signed it never changes: later words are addenda.
struct Visit: Sendable {
    enum Status: String, Sendable, JSONReadable, JSONWritable {
        case inProgress = "in_progress"
        case completed
    }

    let id: VisitID
    let patient: PatientID
    let location: LocationID
    let localDate: LocalDate
    let token: TokenID?
    let appointment: AppointmentID?
    let startedAt: Timestamp
    private(set) var practitioner: AccountID
    private(set) var status: Status
    private(set) var completedAt: Timestamp?
    private(set) var findings: Findings
    private(set) var vitals: Vitals
    private(set) var version: Int

    /// A new visit.
    init(
        id: VisitID, patient: PatientID, practitioner: AccountID, location: LocationID, localDate: LocalDate,
        token: TokenID?, appointment: AppointmentID?, startedAt: Timestamp
    ) {
        self.id = id
        self.patient = patient
        self.practitioner = practitioner
        self.location = location
        self.localDate = localDate
        self.token = token
        self.appointment = appointment
        self.startedAt = startedAt
        status = .inProgress
        findings = Findings()
        vitals = Vitals()
        version = 1
    }

    /// A visit as it is stored.
    init(_ row: SealedVisit, findings: Findings, vitals: Vitals) {
        id = row.id
        patient = row.patient
        practitioner = row.practitioner
        location = row.location
        localDate = row.localDate
        token = row.token
        appointment = row.appointment
        startedAt = row.startedAt
        status = row.status
        completedAt = row.completedAt
        self.findings = findings
        self.vitals = vitals
        version = row.version
    }

    var started: VisitStarted {
        VisitStarted(
            visitID: id, patientID: patient, practitionerID: practitioner, tokenID: token, appointmentID: appointment,
            locationID: location, localDate: localDate)
    }

    /// Takes over what was found. The names of what changed; empty when nothing did.
    mutating func record(_ newFindings: Findings, _ newVitals: Vitals) throws(VisitError) -> [String] {
        guard status == .inProgress else { throw .signed }
        guard newVitals.isPressurePlausible else { throw .pressureSwapped }
        var changed: [String] = []
        if newFindings.chiefComplaint != findings.chiefComplaint { changed.append("chiefComplaint") }
        if newFindings.symptomDays != findings.symptomDays { changed.append("symptomDays") }
        if newFindings.diagnoses != findings.diagnoses { changed.append("diagnoses") }
        if newFindings.treatmentPlan != findings.treatmentPlan { changed.append("treatmentPlan") }
        if newVitals != vitals { changed.append("vitals") }
        findings = newFindings
        vitals = newVitals
        if !changed.isEmpty { version += 1 }
        return changed
    }

    /// The doctor signs: whoever signs answers for the visit, also when a nurse began it.
    mutating func complete(by doctor: AccountID, at now: Timestamp) throws(VisitError) -> VisitCompleted {
        guard status == .inProgress else { throw .signed }
        status = .completed
        practitioner = doctor
        completedAt = now
        version += 1
        return VisitCompleted(
            visitID: id, patientID: patient, practitionerID: doctor, tokenID: token, appointmentID: appointment,
            locationID: location, localDate: localDate, completedAt: now)
    }

    /// Whether notes and prescriptions may still be added.
    func mayBeExtended() throws(VisitError) {
        guard status == .inProgress else { throw .signed }
    }

    /// An addendum is for what was signed; before that the record itself is corrected.
    func mayHaveAddendum() throws(VisitError) {
        guard status == .completed else { throw .notSigned }
    }
}

enum VisitError: Error, Equatable {
    case signed
    case notSigned
    case unlicensed
    case alreadyOpen
    case pressureSwapped
    case patientUnknown
    case patientInactive
    case tokenUnknown
    case tokenMismatch
    case appointmentUnknown
    case appointmentMismatch
    /// By video, and the patient does not stand by having agreed to that.
    case consentMissing
}

/// What a clinician found and decided: sealed as one value under the patient's key.
struct Findings: Equatable, Sendable {
    var chiefComplaint: String?
    var symptomDays: Int?
    var diagnoses: [Diagnosis] = []
    var treatmentPlan: String?
}

struct Diagnosis: Equatable, Sendable {
    var text: String
    var code: String?
    var system: String?
}

extension Findings {
    init(data: JSONObject) throws(JSONError) {
        chiefComplaint = try data.optional("chiefComplaint")
        symptomDays = try data.optional("symptomDays")
        diagnoses = try data.optional("diagnoses") ?? []
        treatmentPlan = try data.optional("treatmentPlan")
    }

    func writeMembers(to json: inout JSONWriter) {
        json.field("chiefComplaint", chiefComplaint)
        json.field("symptomDays", symptomDays)
        json.field("diagnoses", diagnoses)
        json.field("treatmentPlan", treatmentPlan)
    }

    var stored: [UInt8] {
        var json = JSONWriter()
        json.object { writeMembers(to: &$0) }
        return json.bytes
    }
}

extension Diagnosis: JSONReadable, JSONWritable {
    init?(json: JSONValue) {
        guard let data = JSONObject(json: json) else { return nil }
        code = try? data.optional("code")
        system = try? data.optional("system")
        // A code without words is its own words.
        guard let words = (try? data.optional("text", as: String.self)) ?? code else { return nil }
        text = words
    }

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("code", code)
            $0.field("system", system)
            $0.field("text", text)
        }
    }
}
