import Glibc
import Synchronization

/// Which day and hour it is somewhere: one IANA zone, read from the system's own TZif files (RFC 8536).
///
/// Foundation is not used for it: it would bring ICU into every image. A zone is read once per process
/// and shared; a name that is not one, and a file that is damaged, is nil and never a trap.
package struct Zone: Sendable, Equatable {
    package let name: String
    private let table: ZoneTable

    /// Reads the zone, or answers from what was read before. Nil for a name that no file has.
    package init?(_ name: String) {
        if let known = Zone.known.withLock({ $0[name] }) {
            self.init(name: name, table: known)
            return
        }
        guard Zone.isPlain(name), let bytes = Zone.read("/usr/share/zoneinfo/" + name),
            let table = ZoneTable(bytes)
        else { return nil }
        // Only names that exist are kept, so a client cannot fill memory with invented ones.
        Zone.known.withLock { $0[name] = table }
        self.init(name: name, table: table)
    }

    /// A zone from the bytes of a TZif file.
    package init?(name: String, tzif bytes: [UInt8]) {
        guard let table = ZoneTable(bytes) else { return nil }
        self.init(name: name, table: table)
    }

    private init(name: String, table: ZoneTable) {
        self.name = name
        self.table = table
    }

    package static let utc = Zone(name: "UTC", table: ZoneTable(fixed: 0))

    /// Seconds east of UTC at that instant.
    package func offset(at instant: Timestamp) -> Int {
        Int(table.offset(at: Zone.seconds(instant)))
    }

    /// The calendar day that `instant` falls on here.
    package func localDate(of instant: Timestamp) -> LocalDate {
        LocalDate(daysSinceEpoch: Int(Zone.floor(wall(instant), 86_400)))
    }

    /// The wall clock at `instant`, seconds dropped.
    package func localTime(of instant: Timestamp) -> LocalTime {
        let wall = wall(instant)
        let second = wall - Zone.floor(wall, 86_400) * 86_400
        return LocalTime(minuteOfDay: Int(second / 60)) ?? .midnight
    }

    /// When the wall clock shows this, in order: one instant on nearly every day, none in the gap when
    /// clocks go forward, two when they go back. The caller decides what a gap or a doubt means.
    package func instants(of date: LocalDate, _ time: LocalTime) -> [Timestamp] {
        instants(wall: Int64(date.daysSinceEpoch) * 86_400 + Int64(time.minuteOfDay) * 60)
    }

    /// The first instant of the day: midnight, or where clocks skip it, the first moment after.
    package func start(of date: LocalDate) -> Timestamp {
        let midnight = Int64(date.daysSinceEpoch) * 86_400
        if let first = instants(wall: midnight).first { return first }
        // In a gap the new offset already holds; reading midnight with the old one gives its end.
        let before = table.offset(at: midnight - 86_400)
        return Timestamp(microseconds: (midnight - before) * 1_000_000)
    }

    private func instants(wall: Int64) -> [Timestamp] {
        // On nearly every day the same offset holds from the day before to the day after.
        let usual = table.offset(at: wall - 86_400)
        if usual == table.offset(at: wall + 86_400) {
            return [Timestamp(microseconds: (wall - usual) * 1_000_000)]
        }
        // No zone is further than 15 hours from UTC, so these probes see every offset in force around it.
        var offsets: [Int64] = []
        for hours: Int64 in [-24, -16, -8, 0, 8, 16, 24] {
            let offset = table.offset(at: wall + hours * 3600)
            if !offsets.contains(offset) { offsets.append(offset) }
        }
        return offsets.map { wall - $0 }
            .filter { table.offset(at: $0) + $0 == wall }
            .sorted()
            .map { Timestamp(microseconds: $0 * 1_000_000) }
    }

    private func wall(_ instant: Timestamp) -> Int64 {
        let seconds = Zone.seconds(instant)
        return seconds + table.offset(at: seconds)
    }

    package static func == (a: Zone, b: Zone) -> Bool { a.name == b.name }

    private static func seconds(_ instant: Timestamp) -> Int64 { floor(instant.microseconds, 1_000_000) }

    private static func floor(_ a: Int64, _ b: Int64) -> Int64 {
        let (quotient, remainder) = a.quotientAndRemainder(dividingBy: b)
        return remainder < 0 ? quotient - 1 : quotient
    }

    // MARK: files

    private static let known = Mutex<[String: ZoneTable]>([:])

    /// Letters, digits and `_ + / -`: no dot, so the name cannot climb out of its folder.
    private static func isPlain(_ name: String) -> Bool {
        let bytes = name.utf8
        guard (1...64).contains(bytes.count), bytes.first != 0x2f, bytes.last != 0x2f else { return false }
        return bytes.allSatisfy {
            switch $0 {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x5f, 0x2b, 0x2d, 0x2f: true
            default: false
            }
        }
    }

    private static func read(_ path: String) -> [UInt8]? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        let limit = 64 * 1024  // the largest of tzdata's is under 4 KB
        let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            count = fread(buffer.baseAddress, 1, limit, file)
        }
        return bytes.isEmpty || bytes.count == limit ? nil : bytes
    }
}
