import Contracts
import Primitives

/// One person known to the clinic.
///
/// Every rule about a patient's record is in this file and in `PatientForm`. It performs no I/O and reads no clock.
struct Patient: Sendable {
    let id: PatientID
    let mrn: MedicalRecordNumber
    /// The clinic site where the person was registered.
    let location: LocationID
    let registeredAt: Timestamp
    /// Open to its own clinicians and to a broken glass only.
    let restricted: Bool
    private(set) var active: Bool
    private(set) var personal: Personal
    private(set) var version: Int

    init(
        id: PatientID, mrn: MedicalRecordNumber, location: LocationID, registeredAt: Timestamp, active: Bool = true,
        personal: Personal, version: Int = 1, restricted: Bool = false
    ) {
        self.id = id
        self.mrn = mrn
        self.location = location
        self.registeredAt = registeredAt
        self.active = active
        self.personal = personal
        self.version = version
        self.restricted = restricted
    }

    func registered(on day: LocalDate) -> PatientRegistered {
        PatientRegistered(patientID: id, locationID: location, localDate: day)
    }

    /// Takes over what changed. Nil when nothing did: then there is nothing to save or to tell.
    mutating func change(to new: Personal, active isActive: Bool) -> PatientChanged? {
        var fields = personal.fields(changedIn: new)
        if isActive != active { fields.append("active") }
        guard !fields.isEmpty else { return nil }
        personal = new
        active = isActive
        version += 1
        return PatientChanged(patientID: id, fields: fields)
    }

    /// Closes the record to new bookings and visits. Nil when it is closed already.
    mutating func inactivate() -> PatientInactivated? {
        guard active else { return nil }
        active = false
        version += 1
        return PatientInactivated(patientID: id)
    }
}

extension Personal {
    /// The names of the fields that differ: what audit entries and events may say.
    func fields(changedIn new: Personal) -> [String] {
        var fields: [String] = []
        if new.name != name { fields.append("name") }
        if new.birthDate != birthDate { fields.append("birthDate") }
        if new.sex != sex { fields.append("sex") }
        if new.phone != phone { fields.append("phone") }
        if new.email != email { fields.append("email") }
        if new.address != address { fields.append("address") }
        if new.emergencyContact != emergencyContact { fields.append("emergencyContact") }
        if new.allergies != allergies { fields.append("allergies") }
        if new.conditions != conditions { fields.append("conditions") }
        return fields
    }
}
