import Loop
import Postgres
import Primitives

/// Every statement that touches `location`.
@LoopActor struct LocationStore {
    let sql: any SQLSession

    func find(_ id: LocationID) async throws -> Location? {
        try await sql.first(
            "select id, name, zone, currency, version from location where id = \(id)", as: Location.init(row:))
    }

    /// The clinic's oldest site: where somebody belongs who signed up by themselves.
    func first() async throws -> LocationID? {
        try await sql.first(
            "select id from location order by opened_at, id limit 1", as: { row in try row.next(as: LocationID.self) })
    }

    func find(named name: String) async throws -> Location? {
        try await sql.first(
            "select id, name, zone, currency, version from location where name = \(name)", as: Location.init(row:))
    }

    func page(after id: LocationID?, limit: Int) async throws -> [Location] {
        try await sql.all(
            """
            select id, name, zone, currency, version from location
            where \(id)::uuid is null or id > \(id) order by id limit \(limit)
            """, as: Location.init(row:))
    }

    func insert(_ location: Location, at now: Timestamp) async throws {
        try await onConstraint("location_named_once", throw: LocationError.nameTaken) {
            _ = try await sql.run(
                """
                insert into location (id, name, zone, currency, opened_at)
                values (\(location.id), \(location.name), \(location.zone), \(location.currency), \(now))
                """)
        }
    }
}

extension Location {
    init(row: inout Row) throws {
        self.init(
            id: try row.next(), name: try row.next(), zone: try row.next(), currency: try row.next(),
            version: try row.next())
    }
}
