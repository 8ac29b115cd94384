import Loop
import Postgres
import Primitives
import TestSupport
import Testing

@testable import Scheduling

@Suite struct SlotStoreTests {
    @Test func `Opening the same time again creates nothing, whatever the location`() async throws {
        try await Clinic.with(slots: 4) { clinic in
            let start = clinic.opened.adding(seconds: 3600)
            let openings = (0..<6).map { index in
                let start = start.adding(seconds: Int64(index) * 900)
                return Roster.Opening(date: date("2026-11-20"), start: start, end: start.adding(seconds: 900))
            }
            let results = await atOnce(5) { _ in
                try await clinic.test.db.transaction(for: clinic.test.tenant) { tx in
                    _ = try await ProviderStore(sql: tx).nextRosterRevision(clinic.provider)
                    return try await SlotStore(sql: tx).open(openings, of: clinic.provider, at: LocationID())
                }
            }
            let created = results.compactMap { try? $0.get() }
            #expect(created.sorted() == [0, 0, 0, 0, 2])
        }
    }

    @Test func `A year of slots is one statement`() async throws {
        try await Clinic.with(slots: 0) { clinic in
            let roster = try Roster(
                from: date("2026-11-21"), to: date("2027-11-20"), weekdays: Set(1...7), opens: clock("09:00"),
                closes: clock("15:45"), slotMinutes: 15)
            let (slots, _) = try roster.openings(in: .utc, at: clinic.opened)
            let created = try await clinic.test.db.transaction(for: clinic.test.tenant) { tx in
                try await SlotStore(sql: tx).open(slots, of: clinic.provider, at: clinic.location)
            }
            #expect(created == 365 * 27)
        }
    }

    @Test func `A list goes on where its cursor says`() async throws {
        try await Clinic.with(slots: 8) { clinic in
            let store = SlotStore(sql: clinic.reader)
            let filter = SlotStore.Filter(
                provider: clinic.provider, date: date("2026-11-20"), status: .free, now: clinic.opened)
            var seen: [SlotID] = []
            var after: (start: Timestamp, id: SlotID)?
            repeat {
                let page = try await store.list(filter, after: after, limit: 3)
                seen += page.map(\.id)
                after = page.last.map { ($0.start, $0.id) }
            } while after != nil
            #expect(seen == clinic.slots)
        }
    }

    @Test func `What has begun is not free`() async throws {
        try await Clinic.with(slots: 8) { clinic in
            let later = clinic.opened.adding(seconds: 3600 + 3 * 900)
            let free = try await SlotStore(sql: clinic.reader).list(
                .init(status: .free, now: later), after: nil, limit: 10)
            #expect(free.count == 4)
        }
    }
}
