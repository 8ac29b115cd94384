import Loop
import Postgres
import Primitives

/// How a board is read from the record.
@LoopActor
struct BoardStore {
    let sql: any SQLSession

    /// The newest state of the day; nil when nobody has come yet.
    func version(of key: Board.Key) async throws -> Int64? {
        try await sql.first(
            """
            select version from queue_day
            where tenant_id = \(key.tenant) and location_id = \(key.location) and local_date = \(key.date)
            """
        ) { try $0.next() }
    }

    /// The whole day in one statement, so that the version is that of the tokens read.
    func load(_ key: Board.Key) async throws -> Board {
        var version: Int64 = 0
        let entries = try await sql.all(
            """
            select d.version, p.room, p.status, p.until, \(unsafe: Self.tokenColumns)
            from queue_day d
            join token t on t.tenant_id = d.tenant_id and t.location_id = d.location_id
                        and t.local_date = d.local_date
            left join presence p on p.provider_id = t.provider_id
            where d.tenant_id = \(key.tenant) and d.location_id = \(key.location) and d.local_date = \(key.date)
            order by t.sequence
            limit 10000
            """
        ) { row in
            version = try row.next()
            let room = try row.next(as: String?.self)
            let presence = try row.next(as: Presence.Status?.self)
            let until = try row.next(as: Timestamp?.self)
            return Board.Entry(token: try Token(row: &row), room: room, presence: presence, until: until)
        }
        return Board(version: version, entries: entries)
    }

    private static let tokenColumns = TokenStore.columns.split(whereSeparator: { $0 == "," || $0 == "\n" || $0 == " " })
        .map { "t." + $0 }.joined(separator: ", ")
}
