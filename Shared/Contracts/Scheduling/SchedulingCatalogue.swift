import Primitives

extension Catalogue {
    /// What scheduling announces, with a sample of each.
    static let scheduling: [CatalogueEntry] = [
        CatalogueEntry(
            "A practitioner can be booked, or is known under this account.",
            ProviderListed(
                providerID: Sample.id(4), accountID: Sample.id(3), locationID: Sample.id(2),
                zone: "Asia/Kolkata")),
        CatalogueEntry(
            "A practitioner cannot be booked or queued for any more.",
            ProviderRetired(providerID: Sample.id(4), accountID: Sample.id(3))),
        CatalogueEntry(
            "A practitioner has new bookable time.",
            SlotsOpened(providerID: Sample.id(4), from: Sample.day, to: Sample.day, created: 24)),
        CatalogueEntry(
            "A patient holds a confirmed time with a practitioner.",
            AppointmentBooked(
                appointmentID: Sample.id(7), patientID: Sample.id(5), providerID: Sample.id(4),
                locationID: Sample.id(2), slotID: Sample.id(6), start: Sample.time(0), end: Sample.time(15),
                localDate: Sample.day, modality: "in_person", priority: "routine")),
        CatalogueEntry(
            "A patient asks for a practitioner's time, and holds it until the answer. Nothing is booked.",
            AppointmentRequested(
                appointmentID: Sample.id(7), patientID: Sample.id(5), providerID: Sample.id(4),
                locationID: Sample.id(2), slotID: Sample.id(6), start: Sample.time(0), end: Sample.time(15),
                localDate: Sample.day, modality: "in_person", answerBy: Sample.time(-30))),
        CatalogueEntry(
            "A request came to nothing: its outcome is declined, expired or cancelled. endedBy is a role, and absent when time did it.",
            optional: ["endedBy"],
            AppointmentRequestEnded(
                appointmentID: Sample.id(7), patientID: Sample.id(5), providerID: Sample.id(4), start: Sample.time(0),
                localDate: Sample.day, outcome: "declined", endedBy: "doctor")),
        CatalogueEntry(
            "The same appointment now has another time.",
            optional: ["previousProviderId"],
            AppointmentRescheduled(
                appointmentID: Sample.id(7), patientID: Sample.id(5), providerID: Sample.id(4),
                locationID: Sample.id(2), slotID: Sample.id(6), start: Sample.time(0), end: Sample.time(15),
                localDate: Sample.day, previousStart: Sample.time(-60), modality: "in_person",
                priority: "routine", previousProviderID: Sample.id(24))),
        CatalogueEntry(
            "The time is free again. cancelledBy is a role.",
            AppointmentCancelled(
                appointmentID: Sample.id(7), patientID: Sample.id(5), providerID: Sample.id(4),
                start: Sample.time(0), localDate: Sample.day, cancelledBy: "reception")),
        CatalogueEntry(
            "The patient of an appointment has checked in.",
            AppointmentArrived(appointmentID: Sample.id(7), patientID: Sample.id(5), tokenID: Sample.id(8))),
        CatalogueEntry(
            "The visit behind an appointment is complete.",
            AppointmentFulfilled(appointmentID: Sample.id(7), patientID: Sample.id(5), visitID: Sample.id(9))),
    ]
}
