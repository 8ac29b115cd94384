import Primitives

extension Principal {
    /// The day it is at the caller's site: never a date of the server.
    package func today(at now: Timestamp) -> LocalDate {
        (Zone(zone) ?? .utc).localDate(of: now)
    }
}
