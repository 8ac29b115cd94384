import Contracts
import Primitives
import Testing

@testable import Notifications

@Suite struct ReminderTests {
    let start = Timestamp("2026-11-23T04:30:00Z")

    @Test func `An appointment three days away has a reminder a day before and two hours before`() throws {
        let start = try #require(start)
        let reminders = Reminder.planned(for: .init(), of: .init(), startingAt: start, asOf: start.adding(seconds: -3 * 86_400))
        #expect(reminders.map(\.rule) == ["24h", "2h"])
        #expect(reminders.map(\.due) == [start.adding(seconds: -86_400), start.adding(seconds: -7_200)])
    }

    @Test func `A reminder whose moment has passed is not made`() throws {
        let start = try #require(start)
        let reminders = Reminder.planned(for: .init(), of: .init(), startingAt: start, asOf: start.adding(seconds: -7_201))
        #expect(reminders.map(\.rule) == ["2h"])
        #expect(Reminder.planned(for: .init(), of: .init(), startingAt: start, asOf: start.adding(seconds: -7_200)).isEmpty)
    }

    @Test func `The announced fact names the same appointment and start`() throws {
        let start = try #require(start)
        let reminder = try #require(
            Reminder.planned(for: .init(), of: .init(), startingAt: start, asOf: start.adding(seconds: -90_000)).first)
        let fact = reminder.fallDue()
        #expect(fact.reminderID == reminder.id && fact.appointmentID == reminder.appointment && fact.start == start)
    }
}
