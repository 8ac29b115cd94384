import Primitives

extension Catalogue {
    /// What notifications announces, with a sample of each.
    static let notifications: [CatalogueEntry] = [
        CatalogueEntry(
            "Somebody should be reminded of an appointment now: for workers that send by SMS, e-mail or else. "
                + "Send only once per reminderID.",
            ReminderDue(
                reminderID: Sample.id(18), appointmentID: Sample.id(7), patientID: Sample.id(5),
                start: Sample.time(0), rule: "day_before")),
    ]
}
