import Contracts
import JSON
import Loop
import Postgres
import Primitives

/// Whether a practitioner is there, and in which room.
struct Presence: Equatable, Sendable {
    enum Status: String, Sendable, CaseIterable, JSONReadable, SQLReadable, SQLBindable {
        case online, offline, `break`
    }

    let provider: ProviderID
    let status: Status
    /// When a break is expected to end: said, not enforced.
    let until: Timestamp?
    let room: String?
    let version: Int

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
            """
        ) { row in
            Presence(
                provider: try row.next(), status: try row.next(), until: try row.next(), room: try row.next(),
                version: try row.next())
        }
    }
}
