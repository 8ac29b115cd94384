import Contracts
import Postgres
import Primitives

typealias ReminderID = ID<ReminderKind>

/// That somebody should be reminded of an appointment at some instant.
struct Reminder: Equatable, Sendable {
    /// How long before the start, in seconds, under the name that SQL and events carry.
    static let rules: [(name: String, seconds: Int64)] = [("24h", 86_400), ("2h", 7_200)]

    let id: ReminderID
    let appointment: AppointmentID
    let patient: PatientID
    let rule: String
    let start: Timestamp
    let due: Timestamp
    private(set) var version = 1

    /// The reminders of a new time. A rule whose moment has passed makes none: nobody wants to hear
    /// "tomorrow" ten minutes before.
    static func planned(
        for appointment: AppointmentID, of patient: PatientID, startingAt start: Timestamp, asOf now: Timestamp
    ) -> [Reminder] {
        rules.compactMap { rule in
            let due = start.adding(seconds: -rule.seconds)
            guard due > now else { return nil }
            return Reminder(
                id: ReminderID(), appointment: appointment, patient: patient, rule: rule.name, start: start, due: due)
        }
    }

    /// The fact that workers outside send on.
    func fallDue() -> ReminderDue {
        ReminderDue(reminderID: id, appointmentID: appointment, patientID: patient, start: start, rule: rule)
    }
}

extension Reminder {
    init(row: inout Row) throws {
        id = try row.next()
        appointment = try row.next()
        patient = try row.next()
        rule = try row.next()
        start = try row.next()
        due = try row.next()
        version = try row.next()
    }
}
