import Access
import Bootstrap
import Contracts
import JSON
import Loop
import Messaging
import Postgres
import Primitives
import TestSupport
import Testing

@testable import Notifications

/// Who hears of what.
@Suite struct NoticeTests {
    private static let day = LocalDate(daysSinceEpoch: 20_777)

    @LoopActor private static func kinds(_ host: TestHost, of reader: Reader) async throws -> [String] {
        let notices = try await NoticeStore(sql: host.host.db.reader(for: host.tenant)).list(of: reader, before: nil, limit: 100)
        #expect(notices.allSatisfy { reader.hears($0) })
        return notices.map(\.kind).sorted()
    }

    private static func reader(
        _ account: AccountID = AccountID(), patients: [PatientID] = [], provider: ProviderID? = nil
    ) -> Reader { Reader(account: account, roles: ["doctor"], patients: patients, provider: provider) }

    @Test func `A doctor hears of own bookings, moves, cancellations and arrivals, and of the licence; others do not`() async throws {
        try await onLoop {
            try await TestHost.with(NotificationsConfig.init(environment:), NotificationsService.describe) { host in
                let (mine, theirs, account, patient) = (ProviderID(), ProviderID(), AccountID(), PatientID())
                let (id, start) = (AppointmentID(), host.clock.now.adding(seconds: 86_400))
                try await host.react(
                    to: AppointmentBooked(
                        appointmentID: id, patientID: patient, providerID: mine, locationID: host.location, slotID: SlotID(),
                        start: start, end: start, localDate: Self.day, modality: "in_person", priority: "routine"))
                try await host.react(
                    to: AppointmentRescheduled(
                        appointmentID: id, patientID: patient, providerID: theirs, locationID: host.location, slotID: SlotID(),
                        start: start, end: start, localDate: Self.day, previousStart: start, modality: "in_person",
                        priority: "routine", previousProviderID: mine), revision: 2)
                try await host.react(
                    to: AppointmentCancelled(
                        appointmentID: id, patientID: patient, providerID: theirs, start: start, localDate: Self.day,
                        cancelledBy: "reception"), revision: 3)
                try await host.react(
                    to: TokenIssued(
                        tokenID: TokenID(), number: "A-001", patientID: patient, providerID: theirs, locationID: host.location,
                        appointmentID: nil, localDate: Self.day, priority: "routine", issuedAt: start))
                for _ in 0..<2 { try await host.react(to: LicenceWithdrawn(accountID: account), revision: 2) }
                try await host.react(to: LicenceVerified(accountID: account, validUntil: Self.day), revision: 3)

                #expect(try await Self.kinds(host, of: Self.reader(provider: mine)) == ["appointment_booked", "appointment_moved_away"])
                #expect(
                    try await Self.kinds(host, of: Self.reader(provider: theirs))
                        == ["appointment_cancelled", "appointment_rescheduled", "patient_arrived"])
                #expect(
                    try await Self.kinds(host, of: Self.reader(account))
                        == ["licence_verified", "licence_withdrawn", "licence_withdrawn"])
                #expect(try await Self.kinds(host, of: Self.reader()).isEmpty)
                // Who acts for the patient hears what the patient does.
                let told = ["appointment_booked", "appointment_cancelled", "appointment_rescheduled"]
                #expect(try await Self.kinds(host, of: Self.reader(patients: [PatientID(), patient])) == told)
                #expect(try await Self.kinds(host, of: Self.reader(patients: [PatientID()])).isEmpty)
            }
        }
    }

    @Test func `Which practitioner a doctor is comes by event, or is asked for once`() async throws {
        try await onLoop {
            try await TestHost.with(NotificationsConfig.init(environment:), NotificationsService.describe) { host in
                let (account, provider) = (host.account(.doctor), ProviderID())
                try await host.react(
                    to: AppointmentBooked(
                        appointmentID: AppointmentID(), patientID: PatientID(), providerID: provider, locationID: host.location,
                        slotID: SlotID(), start: host.clock.now, end: host.clock.now, localDate: Self.day,
                        modality: "in_person", priority: "routine"))
                #expect(try await host.send("GET", "/v1/notifications", as: .doctor).items.isEmpty)
                host.cards["scheduling", "/internal/cards/accounts/\(account)/provider"] = JSONObject([
                    ("providerId", .string("\(provider)"))
                ])
                let notice = try #require(try await host.send("GET", "/v1/notifications", as: .doctor).items.first)
                host.cards.isDown = true  // Known from now on.
                let path = "/v1/notifications/\(try notice.required("id", as: String.self))/read"
                #expect(try await host.send("POST", path, as: .doctor).status == 204)
                #expect(try await host.send("POST", path, as: .nurse).status == 404)
                let stranger = try host.token(.doctor, account: AccountID())
                #expect(await host.send("POST", path, bytes: [], bearer: stranger).status == 404)

                let other = AccountID()
                try await host.react(
                    to: ProviderListed(providerID: ProviderID(), accountID: other, locationID: host.location, zone: "Etc/GMT"))
                let bearer = try host.token(.doctor, account: other)
                let list = await host.send("GET", "/v1/notifications", bytes: [], bearer: bearer)
                #expect(list.status == 200 && list.items.isEmpty)
            }
        }
    }
}
