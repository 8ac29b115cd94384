import HTTP
import JSON
import Primitives

/// A place in a list ordered by time: what a cursor of such a list means.
struct TimePlace<Kind> {
    let start: Timestamp
    let id: ID<Kind>

    init(start: Timestamp, id: ID<Kind>) {
        self.start = start
        self.id = id
    }

    /// The place the query's cursor names; nil without one.
    init?(_ query: JSONObject, of _: Kind.Type) throws {
        guard let cursor = try query.optional("cursor", as: String.self) else { return nil }
        let parts = try Cursor.decode(cursor)
        guard parts.count == 2, let start = Timestamp(parts[0]), let id = ID<Kind>(parts[1]) else {
            throw Problem.invalid("cursor", "invalid_cursor", "Use a nextCursor of this list as it came.")
        }
        self.init(start: start, id: id)
    }

    var cursor: String { Cursor.encode([start.description, id.description]) }
}
