import Primitives
import Testing

@testable import Scheduling

@Suite struct RosterTests {
    private let early = time("2026-01-01T00:00:00Z")

    private func roster(
        _ from: String, _ to: String, _ opens: String, _ closes: String, minutes: Int = 30,
        weekdays: Set<Int> = Set(1...7)
    ) throws -> Roster {
        try Roster(
            from: date(from), to: date(to), weekdays: weekdays, opens: clock(opens), closes: clock(closes),
            slotMinutes: minutes)
    }

    @Test func `A day is cut into whole slots`() throws {
        let zone = try #require(Zone("Asia/Kolkata"))
        let (slots, skipped) = try roster("2026-11-20", "2026-11-20", "09:00", "10:20").openings(in: zone, at: early)
        #expect(slots.map(\.start.description) == ["2026-11-20T03:30:00Z", "2026-11-20T04:00:00Z"])
        #expect(slots.last?.end == time("2026-11-20T04:30:00Z"))
        #expect(skipped == 0)
    }

    @Test func `Only the named weekdays open`() throws {
        let (slots, _) = try roster("2026-11-16", "2026-11-29", "09:00", "09:30", weekdays: [1, 5])
            .openings(in: .utc, at: early)
        #expect(slots.map(\.date.day) == [16, 20, 23, 27])
    }

    @Test func `Hours that the clock skips are no slots`() throws {
        let london = try #require(Zone("Europe/London"))
        let (slots, skipped) = try roster("2026-03-29", "2026-03-29", "00:30", "02:30").openings(in: london, at: early)
        #expect(slots.map(\.start.description) == ["2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z"])
        #expect(skipped == 2)
    }

    @Test func `Of an hour that comes twice the first is meant, and no two slots overlap`() throws {
        let london = try #require(Zone("Europe/London"))
        let (slots, _) = try roster("2026-10-25", "2026-10-25", "00:30", "02:30").openings(in: london, at: early)
        #expect(
            slots.map(\.start.description) == [
                "2026-10-24T23:30:00Z", "2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z", "2026-10-25T02:00:00Z",
            ])
        for (slot, next) in zip(slots, slots.dropFirst()) { #expect(slot.end <= next.start) }
    }

    @Test func `Today opens from now on, and yesterday not at all`() throws {
        let now = time("2026-11-20T09:10:00Z")
        let (slots, skipped) = try roster("2026-11-20", "2026-11-20", "09:00", "10:30").openings(in: .utc, at: now)
        #expect(slots.count == 2)
        #expect(skipped == 1)
        #expect(throws: RosterError.inPast) {
            _ = try roster("2026-11-19", "2026-11-21", "09:00", "10:00").openings(in: .utc, at: now)
        }
    }

    @Test func `What cannot be meant or is too much is refused`() {
        #expect(throws: RosterError.datesReversed) { try roster("2026-11-21", "2026-11-20", "09:00", "10:00") }
        #expect(throws: RosterError.hoursTooShort) { try roster("2026-11-20", "2026-11-20", "10:00", "09:00") }
        #expect(throws: RosterError.hoursTooShort) { try roster("2026-11-20", "2026-11-20", "09:00", "09:29") }
        #expect(throws: RosterError.tooLong) { try roster("2026-01-01", "2027-01-02", "09:00", "10:00") }
        #expect(throws: RosterError.tooManySlots) {
            try roster("2026-01-01", "2026-12-31", "00:00", "23:45", minutes: 15)
        }
    }
}
