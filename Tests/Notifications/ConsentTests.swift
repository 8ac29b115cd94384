import Access
import Bootstrap
import Contracts
import Loop
import Messaging
import Postgres
import Primitives
import TestSupport
import Testing

@testable import Notifications

/// A consent to reminders that was taken back.
@Suite struct ConsentTests {
    /// How many reminders of an appointment in three days leave, when `words` were said before they are due.
    @LoopActor private static func leaving(
        _ host: TestHost, _ words: [(isGiven: Bool, at: Int64)], of purpose: String = "reminders"
    ) async throws -> Int {
        let patient = PatientID()
        let now = host.clock.now
        try await host.host.transaction(for: host.tenant, as: .system(host.tenant)) { tx in
            try await ReminderStore(sql: tx).plan(
                Reminder.planned(for: .init(), of: patient, startingAt: now.adding(seconds: 3 * 86_400), asOf: now))
        }
        for (isGiven, at) in words {
            let changed = ConsentChanged(
                consentID: ID(), patientID: patient, purpose: purpose, isGiven: isGiven, at: now.adding(seconds: at))
            try await host.react(to: changed)
        }
        return try await host.host.transaction(for: host.tenant, as: .system(host.tenant)) { tx in
            try await ReminderStore(sql: tx).claimDue(at: now.adding(seconds: 3 * 86_400 - 7_100), limit: 100).count
        }
    }

    @Test func `Whoever takes the consent back is reminded no more, and whoever gives it again is`() async throws {
        try await onLoop {
            try await TestHost.with(NotificationsConfig.init(environment:), NotificationsService.describe) { host in
                // Facts may overtake each other, and another purpose says nothing about reminders.
                let told: [([(isGiven: Bool, at: Int64)], String, Int)] = [
                    ([], "reminders", 2), ([(true, 1), (false, 2)], "reminders", 0),
                    ([(true, 1), (false, 2), (true, 3)], "reminders", 2), ([(false, 2), (true, 1)], "reminders", 0),
                    ([(true, 3), (false, 2)], "reminders", 2), ([(false, 2)], "marketing", 2),
                ]
                for (words, purpose, count) in told {
                    let left = try await Self.leaving(host, words, of: purpose)
                    #expect(left == count, "\(purpose) \(words)")
                }
            }
        }
    }
}
