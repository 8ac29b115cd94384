import JSON
import Primitives

/// The board as it lies in Redis: ids, numbers, states and times, and nothing about a person.
///
/// Each token is an array in a fixed order, so that a busy day stays small. A copy that does not read back is
/// no copy: the board is then built from Postgres.
enum BoardCopy {
    static func write(_ board: Board) -> [UInt8] {
        var json = JSONWriter(reserving: 64 + board.entries.count * 256)
        json.array(of: board.entries) { json, entry in
            let token = entry.token
            let items: [JSONValue] = [
                .string(token.id.description), .int(Int64(token.sequence)), .string(token.patient.description),
                .string(token.provider.description), .string(token.location.description),
                token.appointment.map { .string($0.description) } ?? .null,
                .string(token.localDate.description), .string(token.priority.rawValue),
                .int(Int64(token.place.urgency)), .int(Int64(token.place.lane)), .int(token.place.due.microseconds),
                .int(token.issuedAt.microseconds), .string(token.status.rawValue), time(token.calledAt),
                time(token.completedAt), token.waitedSeconds.map { .int(Int64($0)) } ?? .null,
                .int(Int64(token.version)), entry.room.map { .string($0) } ?? .null,
                entry.presence.map { .string($0.rawValue) } ?? .null, time(entry.until),
            ]
            json.value(items)
        }
        return json.bytes
    }

    private static func time(_ instant: Timestamp?) -> JSONValue { instant.map { .int($0.microseconds) } ?? .null }

    static func read(_ bytes: [UInt8], version: Int64) -> Board? {
        guard case .array(let rows)? = try? JSONValue.parse(bytes) else { return nil }
        var entries: [Board.Entry] = []
        entries.reserveCapacity(rows.count)
        for row in rows {
            guard case .array(let items) = row, items.count == 20, let entry = entry(items) else { return nil }
            entries.append(entry)
        }
        return Board(version: version, entries: entries)
    }

    private static func entry(_ items: [JSONValue]) -> Board.Entry? {
        var reader = Items(rest: items[...])
        guard let token = Token(&reader) else { return nil }
        guard let room = reader.next(optional: String.self),
            let presence = reader.next(optional: Presence.Status.self), let until = reader.optionalTime()
        else { return nil }
        return Board.Entry(token: token, room: room, presence: presence, until: until)
    }

    /// Takes the values one after another.
    struct Items {
        var rest: ArraySlice<JSONValue>

        mutating func next<T: JSONReadable>(_: T.Type = T.self) -> T? {
            rest.popFirst().flatMap { T(json: $0) }
        }

        /// `.some(nil)` for null; nil when the value is of another kind.
        mutating func next<T: JSONReadable>(optional _: T.Type) -> T?? {
            guard let value = rest.popFirst() else { return nil }
            if value == .null { return .some(nil) }
            return T(json: value).map { .some($0) }
        }

        mutating func time() -> Timestamp? { next(Int64.self).map(Timestamp.init(microseconds:)) }

        mutating func optionalTime() -> Timestamp?? {
            next(optional: Int64.self).map { $0.map(Timestamp.init(microseconds:)) }
        }
    }
}

extension Token.Status: JSONReadable {}

extension Token {
    fileprivate init?(_ items: inout BoardCopy.Items) {
        guard let id = items.next(TokenID.self), let sequence = items.next(Int.self),
            let patient = items.next(PatientID.self), let provider = items.next(ProviderID.self),
            let location = items.next(LocationID.self), let appointment = items.next(optional: AppointmentID.self),
            let localDate = items.next(LocalDate.self), let priority = items.next(Priority.self),
            let urgency = items.next(Int.self), let lane = items.next(Int.self), let due = items.time(),
            let issuedAt = items.time(), let status = items.next(Status.self),
            let calledAt = items.optionalTime(), let completedAt = items.optionalTime(),
            let waited = items.next(optional: Int.self), let version = items.next(Int.self)
        else { return nil }
        self.init(
            id: id, sequence: sequence, patient: patient, provider: provider, location: location,
            appointment: appointment, localDate: localDate, priority: priority,
            place: Place(urgency: urgency, lane: lane, due: due, sequence: sequence), issuedAt: issuedAt,
            status: status, calledAt: calledAt, completedAt: completedAt, waitedSeconds: waited, version: version)
    }
}
