import JSON
import Primitives

/// A clinic site. Its zone decides what "today" is there, and its currency what a price means.
struct Location: Equatable, Sendable {
    let id: LocationID
    let name: String
    let zone: String
    let currency: Currency
    let version: Int

    /// A zone that no tz database knows would make every date of the site wrong.
    static func open(
        id: LocationID = LocationID(), name: String, zone: String, currency: Currency
    ) throws(LocationError) -> Location {
        guard Zone(zone) != nil else { throw .zoneUnknown }
        return Location(id: id, name: name, zone: zone, currency: currency, version: 1)
    }
}

enum LocationError: Error, Equatable {
    case zoneUnknown
    case nameTaken
}
