import Primitives

extension Catalogue {
    /// What queue announces, with a sample of each.
    static let queue: [CatalogueEntry] = [
        CatalogueEntry(
            "A patient waits.",
            optional: ["appointmentId"],
            TokenIssued(
                tokenID: Sample.id(8), number: "A-017", patientID: Sample.id(5), providerID: Sample.id(4),
                locationID: Sample.id(2), appointmentID: Sample.id(7), localDate: Sample.day,
                priority: "routine", issuedAt: Sample.time(0))),
        CatalogueEntry(
            "The patient is with the doctor now.",
            TokenCalled(
                tokenID: Sample.id(8), patientID: Sample.id(5), providerID: Sample.id(4),
                locationID: Sample.id(2), localDate: Sample.day, waitedSeconds: 10, calledAt: Sample.time(0))),
        CatalogueEntry(
            "The patient waits again, at the place the first arrival earned.",
            TokenReturned(
                tokenID: Sample.id(8), patientID: Sample.id(5), providerID: Sample.id(4), localDate: Sample.day)),
        CatalogueEntry(
            "The patient was called and did not come.",
            TokenSkipped(
                tokenID: Sample.id(8), patientID: Sample.id(5), providerID: Sample.id(4), localDate: Sample.day)),
        CatalogueEntry(
            "The patient left without being seen.",
            TokenLeft(
                tokenID: Sample.id(8), patientID: Sample.id(5), providerID: Sample.id(4), localDate: Sample.day)),
        CatalogueEntry(
            "The consultation behind a token is over.",
            optional: ["appointmentId"],
            TokenCompleted(
                tokenID: Sample.id(8), patientID: Sample.id(5), providerID: Sample.id(4),
                locationID: Sample.id(2), appointmentID: Sample.id(7), localDate: Sample.day,
                completedAt: Sample.time(40))),
        CatalogueEntry(
            "A practitioner is online, offline or on a break.",
            optional: ["until"],
            PresenceChanged(providerID: Sample.id(4), status: "break", until: Sample.time(30))),
    ]
}
