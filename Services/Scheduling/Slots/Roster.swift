import Primitives

/// A practitioner's opening hours over some days, and the slots they mean in a zone.
struct Roster: Equatable, Sendable {
    /// Bounds of one request: a year at once, and no more rows than one statement inserts in good time.
    static let maximumDays = 366
    static let maximumSlots = 10_000

    let from: LocalDate
    let to: LocalDate
    /// 1 is Monday.
    let weekdays: Set<Int>
    let opens: LocalTime
    let closes: LocalTime
    let slotMinutes: Int

    struct Opening: Equatable, Sendable {
        let date: LocalDate
        let start: Timestamp
        let end: Timestamp
    }

    init(
        from: LocalDate, to: LocalDate, weekdays: Set<Int>, opens: LocalTime, closes: LocalTime, slotMinutes: Int
    ) throws(RosterError) {
        guard from <= to else { throw .datesReversed }
        guard to.daysSinceEpoch - from.daysSinceEpoch < Self.maximumDays else { throw .tooLong }
        guard closes.minuteOfDay - opens.minuteOfDay >= slotMinutes, slotMinutes > 0 else { throw .hoursTooShort }
        self.from = from
        self.to = to
        self.weekdays = weekdays
        self.opens = opens
        self.closes = closes
        self.slotMinutes = slotMinutes
        guard days.count * slotsPerDay <= Self.maximumSlots else { throw .tooManySlots }
    }

    private var slotsPerDay: Int { (closes.minuteOfDay - opens.minuteOfDay) / slotMinutes }

    private var days: [LocalDate] {
        (0...(to.daysSinceEpoch - from.daysSinceEpoch)).map { from.adding(days: $0) }
            .filter { weekdays.contains($0.weekday) }
    }

    /// The slots, in order, and how many of the hours are none: those that the clock skips when it goes
    /// forward, and those already begun. When the clock goes back, the first of the two hours is meant.
    func openings(in zone: Zone, at now: Timestamp) throws(RosterError) -> (slots: [Opening], skipped: Int) {
        guard from >= zone.localDate(of: now) else { throw .inPast }
        var slots: [Opening] = []
        var skipped = 0
        for date in days {
            for index in 0..<slotsPerDay {
                guard let time = LocalTime(minuteOfDay: opens.minuteOfDay + index * slotMinutes),
                    let start = zone.instants(of: date, time).first, start > now
                else {
                    skipped += 1
                    continue
                }
                slots.append(Opening(date: date, start: start, end: start.adding(seconds: Int64(slotMinutes) * 60)))
            }
        }
        return (slots, skipped)
    }
}

enum RosterError: Error, Equatable {
    case datesReversed, hoursTooShort, tooLong, tooManySlots, inPast
}
