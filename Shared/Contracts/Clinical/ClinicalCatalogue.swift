import Primitives

extension Catalogue {
    /// What clinical announces, with a sample of each.
    static let clinical: [CatalogueEntry] = [
        CatalogueEntry(
            "A patient has a record.",
            PatientRegistered(patientID: Sample.id(5), locationID: Sample.id(2), localDate: Sample.day)),
        CatalogueEntry(
            "Something in a patient's demographics changed; fields are the names of what changed, never the "
                + "values.",
            PatientChanged(patientID: Sample.id(5), fields: ["phone", "address"])),
        CatalogueEntry(
            "The record is closed to new bookings; nothing of it is deleted.",
            PatientInactivated(patientID: Sample.id(5))),
        CatalogueEntry(
            "Nobody can read anything about this person any more; whoever keeps something of them forgets it.",
            PatientErased(patientID: Sample.id(5))),
        CatalogueEntry(
            "A patient's chart was restricted to those who treat them, or opened again; of two facts the later time counts.",
            PatientRestrictionChanged(patientID: Sample.id(5), isRestricted: true, at: Sample.time(40))),
        CatalogueEntry(
            "A patient agreed to a purpose of use, or took that back; of two facts the one with the later time counts.",
            ConsentChanged(
                consentID: Sample.id(23), patientID: Sample.id(5), purpose: "reminders", isGiven: false, at: Sample.time(40))),
        CatalogueEntry(
            "A consultation has begun.",
            optional: ["tokenId", "appointmentId"],
            VisitStarted(
                visitID: Sample.id(9), patientID: Sample.id(5), practitionerID: Sample.id(3),
                tokenID: Sample.id(8), appointmentID: Sample.id(7), locationID: Sample.id(2),
                localDate: Sample.day)),
        CatalogueEntry(
            "A consultation is signed: from now on only addenda.",
            optional: ["tokenId", "appointmentId"],
            VisitCompleted(
                visitID: Sample.id(9), patientID: Sample.id(5), practitionerID: Sample.id(3),
                tokenID: Sample.id(8), appointmentID: Sample.id(7), locationID: Sample.id(2),
                localDate: Sample.day, completedAt: Sample.time(40))),
        CatalogueEntry(
            "Medicines may be dispensed until validUntil (the last usable day).",
            PrescriptionIssued(
                prescriptionID: Sample.id(10), visitID: Sample.id(9), patientID: Sample.id(5),
                practitionerID: Sample.id(3), validUntil: Sample.day, items: [Sample.prescribedItem])),
        CatalogueEntry(
            "Somebody opened a chart that was closed to them, until expiresAt, or unlocked it; somebody else must review it.",
            GlassBroken(
                grantID: Sample.id(31), patientID: Sample.id(5), accountID: Sample.id(3), locationID: Sample.id(2),
                expiresAt: Sample.time(30))),
        CatalogueEntry(
            "Nobody has reviewed in time why somebody opened a chart that was closed to them.",
            GlassUnreviewed(
                grantID: Sample.id(31), patientID: Sample.id(5), accountID: Sample.id(3), grantedAt: Sample.time(0))),
        CatalogueEntry(
            "Somebody asked about a record: to be told, or to have it corrected, erased or restricted.",
            PrivacyRequestFiled(requestID: Sample.id(32), patientID: Sample.id(5), kind: "correction", dueOn: Sample.day)),
        CatalogueEntry(
            "A request about a record has remained open until a week before its last day.",
            PrivacyRequestRemainedOpen(requestID: Sample.id(32), patientID: Sample.id(5), kind: "correction", dueOn: Sample.day)),
        CatalogueEntry(
            "A request about a record was answered: done or refused.",
            PrivacyRequestAnswered(requestID: Sample.id(32), patientID: Sample.id(5), kind: "correction", outcome: "refused")),
    ]
}
