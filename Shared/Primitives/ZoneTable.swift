/// The offsets of one zone: the transitions a TZif file lists, then the rule in its footer for ever after.
struct ZoneTable: Sendable {
    private let times: [Int64]
    /// The offset from `times[i]` on.
    private let offsets: [Int64]
    /// Before the first transition.
    private let first: Int64
    /// After the last one; without a rule the last offset stays.
    private let rule: ZoneRule?

    init(fixed offset: Int64) {
        times = []
        offsets = []
        first = offset
        rule = nil
    }

    /// Nil when the bytes are not a sound TZif file of version 1 to 4.
    init?(_ bytes: [UInt8]) {
        guard let one = Header(bytes, at: 0) else { return nil }
        var header = one
        if one.version >= 2 {
            guard let two = Header(bytes, at: one.end(wide: false)) else { return nil }
            header = two
        }
        let wide = one.version >= 2
        let end = header.end(wide: wide)
        guard end <= bytes.count, header.types > 0 else { return nil }

        let width = wide ? 8 : 4
        let indexes = header.start + header.times * width
        let types = indexes + header.times
        var kinds: [Int64] = []
        for index in 0..<header.types {
            guard let offset = bytes.bigEndian(at: types + index * 6, count: 4), abs(offset) < 26 * 3600
            else { return nil }
            kinds.append(offset)
        }
        var times: [Int64] = []
        var offsets: [Int64] = []
        for index in 0..<header.times {
            let kind = Int(bytes[indexes + index])
            guard let time = bytes.bigEndian(at: header.start + index * width, count: width),
                kind < kinds.count, times.last.map({ $0 < time }) ?? true
            else { return nil }
            times.append(time)
            offsets.append(kinds[kind])
        }
        self.times = times
        self.offsets = offsets
        first = kinds[0]
        rule = wide ? ZoneTable.footer(bytes, from: end) : nil
    }

    func offset(at seconds: Int64) -> Int64 {
        guard let last = times.last, seconds < last else {
            return rule?.offset(at: seconds) ?? offsets.last ?? first
        }
        var low = 0
        var high = times.count
        while low < high {
            let middle = (low + high) / 2
            if times[middle] <= seconds { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? first : offsets[low - 1]
    }

    private static func footer(_ bytes: [UInt8], from start: Int) -> ZoneRule? {
        guard start < bytes.count, bytes[start] == 0x0a else { return nil }
        let line = bytes[(start + 1)...]
        guard let end = line.firstIndex(of: 0x0a) else { return nil }
        return ZoneRule(Array(line[..<end]))
    }

    /// `TZif`, a version, and six counts.
    private struct Header {
        let version: Int
        let start: Int
        let times: Int
        let types: Int
        private let leaps: Int
        private let letters: Int
        private let flags: Int

        init?(_ bytes: [UInt8], at: Int) {
            guard at >= 0, at + 44 <= bytes.count, bytes[at..<(at + 4)].elementsEqual("TZif".utf8)
            else { return nil }
            var counts: [Int] = []
            for index in 0..<6 {
                // A count beyond the file is damage; the bound also keeps the sums below from overflowing.
                guard let count = bytes.bigEndian(at: at + 20 + index * 4, count: 4),
                    (0...Int64(bytes.count)).contains(count)
                else { return nil }
                counts.append(Int(count))
            }
            let digit = bytes[at + 4]
            version = digit == 0 ? 1 : Int(digit) - 0x30
            guard (1...4).contains(version) else { return nil }
            start = at + 44
            flags = counts[0] + counts[1]
            leaps = counts[2]
            times = counts[3]
            types = counts[4]
            letters = counts[5]
            guard end(wide: false) <= bytes.count else { return nil }
        }

        func end(wide: Bool) -> Int {
            let width = wide ? 8 : 4
            return start + times * (width + 1) + types * 6 + letters + leaps * (width + 4) + flags
        }
    }
}

/// A POSIX TZ line, as `GMT0BST,M3.5.0/1,M10.5.0`: standard time, and between two days of each year summer time.
struct ZoneRule: Sendable {
    private let standard: Int64
    private var summer: Summer?

    private struct Summer: Sendable {
        let offset: Int64
        let start: Day
        let end: Day
    }

    /// A day of the year, and the second of that day (it may lie days away: RFC 8536 allows -167 to 167 hours).
    private struct Day: Sendable {
        enum Form: Sendable {
            /// `Jn`: 1 to 365, 29 February never counted.
            case julian(Int)
            /// `n`: 0 to 365.
            case ordinal(Int)
            /// `Mm.w.d`: the w-th (5 is the last) d (0 is Sunday) of month m.
            case weekday(month: Int, week: Int, day: Int)
        }
        let form: Form
        let second: Int64

        func second(in year: Int) -> Int64 { Int64(days(in: year)) * 86_400 + second }

        private func days(in year: Int) -> Int {
            let newYear = ZoneRule.day(year, 1)
            switch form {
            case .julian(let n):
                let isLeap = LocalDate.length(ofMonth: 2, year: year) == 29
                return newYear + n - 1 + (isLeap && n > 59 ? 1 : 0)
            case .ordinal(let n): return newYear + n
            case .weekday(let month, let week, let day):
                let first = ZoneRule.day(year, month)
                let firstWeekday = ((first + 4) % 7 + 7) % 7  // 1970-01-01 was a Thursday; 0 is Sunday
                var result = first + (day - firstWeekday + 7) % 7 + (week - 1) * 7
                if result >= first + LocalDate.length(ofMonth: month, year: year) { result -= 7 }
                return result
            }
        }
    }

    /// Days since 1970 of the first of a month.
    private static func day(_ year: Int, _ month: Int) -> Int {
        LocalDate(year: min(max(year, 1900), 2200), month: month, day: 1)?.daysSinceEpoch ?? 0
    }

    init?(_ text: [UInt8]) {
        var reader = Reader(rest: text[...])
        guard reader.name(), let standard = reader.offset() else { return nil }
        self.standard = -standard
        guard !reader.rest.isEmpty else { return }
        guard reader.name() else { return nil }
        var offset = self.standard + 3600
        if reader.rest.first != 0x2c {
            guard let own = reader.offset() else { return nil }
            offset = -own
        }
        guard let start = reader.day(), let end = reader.day(), reader.rest.isEmpty else { return nil }
        summer = Summer(offset: offset, start: start, end: end)
    }

    func offset(at seconds: Int64) -> Int64 {
        guard let summer else { return standard }
        let year = LocalDate(daysSinceEpoch: Int((seconds + standard) / 86_400)).year
        let start = summer.start.second(in: year) - standard
        let end = summer.end.second(in: year) - summer.offset
        // South of the equator summer time spans the new year, so its end comes before its start.
        let isSummer = start < end ? (start..<end).contains(seconds) : !(end..<start).contains(seconds)
        return isSummer ? summer.offset : standard
    }

    /// Reads the line from left to right; everything it hands out is within its bounds.
    private struct Reader {
        var rest: ArraySlice<UInt8>

        private mutating func take(_ byte: UInt8) -> Bool {
            guard rest.first == byte else { return false }
            rest = rest.dropFirst()
            return true
        }

        private mutating func number(_ range: ClosedRange<Int>) -> Int? {
            let digits = rest.prefix { (0x30...0x39).contains($0) }
            guard (1...3).contains(digits.count) else { return nil }
            rest = rest.dropFirst(digits.count)
            let value = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
            return range.contains(value) ? value : nil
        }

        /// `EST` or `<+0530>`; what it says is not kept.
        mutating func name() -> Bool {
            if take(0x3c) {
                guard let end = rest.firstIndex(of: 0x3e) else { return false }
                rest = rest[(end + 1)...]
                return true
            }
            let letters = rest.prefix { (0x41...0x5a).contains($0 & 0xdf) }
            rest = rest.dropFirst(letters.count)
            return letters.count >= 3
        }

        /// `[+-]hh[:mm[:ss]]` in seconds.
        mutating func offset() -> Int64? {
            let sign: Int64 = take(0x2d) ? -1 : 1
            if sign == 1 { _ = take(0x2b) }
            guard let hours = number(0...167) else { return nil }
            var seconds = Int64(hours) * 3600
            if take(0x3a) {
                guard let minutes = number(0...59) else { return nil }
                seconds += Int64(minutes) * 60
                if take(0x3a) {
                    guard let rest = number(0...59) else { return nil }
                    seconds += Int64(rest)
                }
            }
            return sign * seconds
        }

        /// `,` and a day, with `/time` when it is not two in the morning.
        mutating func day() -> Day? {
            guard take(0x2c) else { return nil }
            let form: Day.Form
            if take(0x4d) {
                guard let month = number(1...12), take(0x2e), let week = number(1...5), take(0x2e),
                    let day = number(0...6)
                else { return nil }
                form = .weekday(month: month, week: week, day: day)
            } else if take(0x4a) {
                guard let day = number(1...365) else { return nil }
                form = .julian(day)
            } else {
                guard let day = number(0...365) else { return nil }
                form = .ordinal(day)
            }
            guard take(0x2f) else { return Day(form: form, second: 7200) }
            guard let second = offset() else { return nil }
            return Day(form: form, second: second)
        }
    }
}

extension [UInt8] {
    /// A signed big-endian number of 4 or 8 bytes; nil past the end.
    fileprivate func bigEndian(at: Int, count width: Int) -> Int64? {
        guard at >= 0, at + width <= count else { return nil }
        let bits = self[at..<(at + width)].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return width == 4 ? Int64(Int32(truncatingIfNeeded: bits)) : Int64(bitPattern: bits)
    }
}
