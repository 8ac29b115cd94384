import Contracts
import JSON
import Loop
import Postgres
import Primitives

/// Whether a practitioner is there, and in which room.
///
/// Who never said anything is not known to be away: a clinic that does not use this loses nothing.
struct Presence: Equatable, Sendable {
    enum Status: String, Sendable, CaseIterable, JSONReadable, SQLReadable, SQLBindable {
        case online, offline, `break`
    }

    let provider: ProviderID
    /// What was said last. What it means now is `status(at:)`.
    let status: Status
    /// When they are back.
    let until: Timestamp?
    let room: String?
    let version: Int

    /// Whose time away is over is there again, without anybody saying so: nothing waits for a timer.
    func status(at now: Timestamp) -> Status { Self.status(status, until: until, at: now) }

    static func status(_ said: Status, until: Timestamp?, at now: Timestamp) -> Status {
        until.map { $0 <= now } ?? false ? .online : said
    }

    var changed: PresenceChanged {
        PresenceChanged(providerID: provider, status: status.rawValue, until: until)
    }
}

/// Every statement that touches the `presence` table.
@LoopActor
struct PresenceStore {
    let sql: any SQLSession

    /// Keeps what was said last. A room that is not named stays.
    func set(
        _ status: Presence.Status, until: Timestamp?, room: String?, of provider: ProviderID
    ) async throws -> Presence? {
        try await sql.first(
            """
            insert into presence (provider_id, status, until, room)
            values (\(provider), \(status), \(until), \(room))
            on conflict (provider_id) do update
            set status = excluded.status, until = excluded.until, room = coalesce(excluded.room, presence.room),
                version = presence.version + 1
            returning provider_id, status, until, room, version
            """, as: Presence.init(row:))
    }

    func find(_ provider: ProviderID) async throws -> Presence? {
        try await sql.first(
            "select provider_id, status, until, room, version from presence where provider_id = \(provider)",
            as: Presence.init(row:))
    }
}

extension Presence {
    init(row: inout Row) throws {
        provider = try row.next()
        status = try row.next()
        until = try row.next()
        room = try row.next()
        version = try row.next()
    }
}
