import Glibc

/// An instant, to the microsecond, as Postgres keeps it.
package struct Timestamp: Hashable, Comparable, Sendable, LosslessStringConvertible {
    /// Microseconds since 1970-01-01T00:00:00Z.
    package let microseconds: Int64

    /// Years 1900 to 2200: an instant outside is nobody's appointment and nobody's birth.
    package static let range: ClosedRange<Int64> = -2_208_988_800_000_000...7_258_118_400_000_000

    package init(microseconds: Int64) { self.microseconds = microseconds }

    package static func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }

    package func adding(seconds: Int64) -> Timestamp {
        Timestamp(microseconds: microseconds &+ seconds &* 1_000_000)
    }

    package func seconds(since other: Timestamp) -> Int64 { (microseconds - other.microseconds) / 1_000_000 }

    package static func < (a: Self, b: Self) -> Bool { a.microseconds < b.microseconds }

    /// RFC 3339 in UTC: `2026-11-20T09:30:00Z`, with a fraction only when there is one.
    package var description: String {
        let (days, rest) = microseconds.flooredDivision(by: 86_400_000_000)
        let date = LocalDate(daysSinceEpoch: Int(days))
        let second = rest / 1_000_000
        let fraction = rest % 1_000_000
        var text = "\(date)T\(two(second / 3600)):\(two(second / 60 % 60)):\(two(second % 60))"
        if fraction != 0 { text += "." + String(String(1_000_000 + fraction).dropFirst()) }
        return text + "Z"
    }

    /// Reads RFC 3339 with any offset, and the form Postgres prints. Dates that do not exist are nil.
    package init?(_ text: String) {
        var text = text
        guard let parsed = text.withUTF8({ Self.parse(UnsafeRawBufferPointer($0)) }) else { return nil }
        self = parsed
    }

    package static func parse(_ b: UnsafeRawBufferPointer) -> Timestamp? {
        guard b.count >= 19, b[10] == 0x54 || b[10] == 0x20 || b[10] == 0x74, b[13] == 0x3a, b[16] == 0x3a,
            let date = LocalDate.parse(UnsafeRawBufferPointer(rebasing: b[0..<10])),
            let hour = b.number(11, 2), let minute = b.number(14, 2), let second = b.number(17, 2),
            hour < 24, minute < 60, second < 60
        else { return nil }
        var micro: Int64 = 0
        var at = 19
        if at < b.count, b[at] == 0x2e {
            at += 1
            var scale: Int64 = 100_000
            let first = at
            while at < b.count, (0x30...0x39).contains(b[at]) {
                micro += Int64(b[at] - 0x30) * scale
                scale /= 10
                at += 1
            }
            guard at > first else { return nil }
        }
        guard at < b.count else { return nil }
        var offset: Int64 = 0
        switch b[at] {
        case 0x5a, 0x7a:
            guard at + 1 == b.count else { return nil }
        case 0x2b, 0x2d:
            guard let hours = b.number(at + 1, 2), hours < 24 else { return nil }
            var minutes = 0
            if b.count == at + 6 {
                guard b[at + 3] == 0x3a, let m = b.number(at + 4, 2), m < 60 else { return nil }
                minutes = m
            } else if b.count == at + 5 {
                guard let m = b.number(at + 3, 2), m < 60 else { return nil }
                minutes = m
            } else if b.count != at + 3 {
                return nil
            }
            offset = Int64(hours * 3600 + minutes * 60) * (b[at] == 0x2d ? -1 : 1)
        default: return nil
        }
        let local = Int64(date.daysSinceEpoch) * 86_400 + Int64(hour * 3600 + minute * 60 + second)
        let value = (local - offset) * 1_000_000 + micro
        guard range.contains(value) else { return nil }
        return Timestamp(microseconds: value)
    }
}

/// A day as the clinic's wall calendar shows it. It has no zone and is never an instant.
package struct LocalDate: Hashable, Comparable, Sendable, LosslessStringConvertible {
    package let year: Int
    package let month: Int
    package let day: Int

    /// Nil for a day that does not exist, and outside the years 1900 to 2200.
    package init?(year: Int, month: Int, day: Int) {
        guard (1900...2200).contains(year), (1...12).contains(month), day >= 1,
            day <= LocalDate.length(ofMonth: month, year: year)
        else { return nil }
        self.year = year
        self.month = month
        self.day = day
    }

    package init?(_ text: String) {
        var text = text
        guard let parsed = text.withUTF8({ Self.parse(UnsafeRawBufferPointer($0)) }) else { return nil }
        self = parsed
    }

    package static func parse(_ b: UnsafeRawBufferPointer) -> LocalDate? {
        guard b.count == 10, b[4] == 0x2d, b[7] == 0x2d, let year = b.number(0, 4), let month = b.number(5, 2),
            let day = b.number(8, 2)
        else { return nil }
        return LocalDate(year: year, month: month, day: day)
    }

    /// Howard Hinnant's days-from-civil, http://howardhinnant.github.io/date_algorithms.html
    package var daysSinceEpoch: Int {
        let y = month <= 2 ? year - 1 : year
        let era = y / 400
        let yearOfEra = y - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// Days outside the years 1900 to 2200 are clamped to its ends.
    package init(daysSinceEpoch: Int) {
        let z = min(max(daysSinceEpoch, -25_567), 84_371) + 719_468
        let era = z / 146_097
        let dayOfEra = z - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let mp = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * mp + 2) / 5 + 1
        month = mp < 10 ? mp + 3 : mp - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    package func adding(days: Int) -> LocalDate { LocalDate(daysSinceEpoch: daysSinceEpoch + days) }

    /// ISO 8601: 1 is Monday, 7 is Sunday.
    package var weekday: Int { (daysSinceEpoch + 3 + 7 * 10_000) % 7 + 1 }

    package var description: String { "\(String(10_000 + year).dropFirst())-\(two(Int64(month)))-\(two(Int64(day)))" }

    package static func < (a: Self, b: Self) -> Bool { a.daysSinceEpoch < b.daysSinceEpoch }

    package static func length(ofMonth month: Int, year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

/// A time on the clinic's wall clock, to the minute: `09:30`.
package struct LocalTime: Hashable, Comparable, Sendable, LosslessStringConvertible {
    package let minuteOfDay: Int

    package init?(minuteOfDay: Int) {
        guard (0..<1440).contains(minuteOfDay) else { return nil }
        self.minuteOfDay = minuteOfDay
    }

    package init?(_ text: String) {
        var text = text
        let minute = text.withUTF8 { bytes -> Int? in
            let b = UnsafeRawBufferPointer(bytes)
            guard b.count == 5, b[2] == 0x3a, let hour = b.number(0, 2), let minute = b.number(3, 2), hour < 24,
                minute < 60
            else { return nil }
            return hour * 60 + minute
        }
        guard let minute else { return nil }
        minuteOfDay = minute
    }

    package static let midnight = LocalTime(minute: 0)
    private init(minute: Int) { minuteOfDay = minute }

    package var description: String { "\(two(Int64(minuteOfDay / 60))):\(two(Int64(minuteOfDay % 60)))" }
    package static func < (a: Self, b: Self) -> Bool { a.minuteOfDay < b.minuteOfDay }
}

private func two(_ n: Int64) -> String { n < 10 ? "0\(n)" : "\(n)" }

extension UnsafeRawBufferPointer {
    /// `count` decimal digits at `at` as a number; nil when one is missing or not a digit.
    fileprivate func number(_ at: Int, _ count: Int) -> Int? {
        guard at >= 0, at + count <= self.count else { return nil }
        var value = 0
        for index in at..<(at + count) {
            guard (0x30...0x39).contains(self[index]) else { return nil }
            value = value * 10 + Int(self[index] - 0x30)
        }
        return value
    }
}

extension Int64 {
    fileprivate func flooredDivision(by divisor: Int64) -> (Int64, Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
