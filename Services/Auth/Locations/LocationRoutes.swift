import Access
import Bootstrap
import Contracts
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// The clinic's sites over HTTP.
@LoopActor struct LocationRoutes {
    let host: Host

    var table: [Route] {
        [
            .get("/v1/locations", for: .manageTenants, Self.listDocs, list),
            .post("/v1/locations", for: .manageTenants, Self.openDocs, open),
            .get("/internal/cards/locations/:id", for: .readCards, Self.cardDocs, card),
        ]
    }

    private func list(_ request: Request, by caller: Principal) async throws -> Response {
        let limit: Int = try request.query.optional("limit") ?? 50
        let cursor: String? = try request.query.optional("cursor")
        let found = try await LocationStore(sql: host.db.reader(for: caller.tenant))
            .page(after: try IDCursor.read(cursor), limit: limit + 1)
        let next = found.count > limit ? found.prefix(limit).last.map { Cursor.encode([$0.id.description]) } : nil
        return .page(found.prefix(limit).map(LocationView.init), next: next, of: request)
    }

    private func open(_ request: Request, by caller: Principal) async throws -> Response {
        guard let currency = Currency(try request.body.required("currency")) else {
            throw Problem.invalid("currency", "invalid_currency", "Give the three capital letters of ISO 4217, such as INR.")
        }
        let location = try Location.open(
            name: try request.body.required("name"), zone: try request.body.required("zone"), currency: currency)

        return try await host.write(request, by: caller) { tx in
            try await LocationStore(sql: tx).insert(location, at: host.now())
            try tx.announce(LocationOpened(location), revision: location.version)
            try tx.audit("create", "location", location.id.description, after: location.audited)
            return .created(LocationView(location), version: location.version, at: "/v1/locations/\(location.id)")
        }
    }

    private func card(_ request: Request, by caller: Principal) async throws -> Response {
        let store = LocationStore(sql: host.db.reader(for: caller.tenant))
        guard let location = try await store.find(try request.id("id")) else { throw Problem.notFound("location") }
        return .json(200, LocationOpened(location), version: location.version)
    }
}

/// The one place where a location's refusals become HTTP.
extension LocationError: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .zoneUnknown: .invalid("zone", "unknown_zone", "Use a name of the IANA tz database, such as Asia/Kolkata.")
        case .nameTaken: .conflict("location_exists", "A location has this name already.")
        }
    }
}

/// Where a page ended, when the order is that of the identifiers.
enum IDCursor {
    static func read<Kind>(_ text: String?) throws(Problem) -> ID<Kind>? {
        guard let text else { return nil }
        let parts = try Cursor.decode(text)
        guard parts.count == 1, let id = ID<Kind>(parts[0]) else {
            throw .invalid("cursor", "invalid_cursor", "Use nextCursor as it came.")
        }
        return id
    }
}

extension LocationOpened {
    init(_ location: Location) {
        self.init(locationID: location.id, zone: location.zone, currency: location.currency)
    }
}

extension Location {
    var audited: JSONObject {
        JSONObject([("zone", .string(zone)), ("currency", .string(currency.code))])
    }
}

struct LocationView: JSONWritable {
    private let location: Location
    init(_ location: Location) { self.location = location }

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("id", location.id)
            $0.field("name", location.name)
            $0.field("zone", location.zone)
            $0.field("currency", location.currency)
        }
    }

    static let schema = Schema.object([
        .required("id", .id), .required("name", .text(max: 200)), .required("zone", .text(max: 64)),
        .required("currency", .text(min: 3, max: 3)),
    ])
}

extension LocationRoutes {
    private static let listDocs = Route.Docs(
        "List the clinic's sites",
        query: [.optional("limit", .integer(1...100)), .optional("cursor", .text(max: 500))],
        answers: [
            (200, .object([.required("items", .list(of: LocationView.schema, max: 100)), .optional("nextCursor", .text(max: 500))]))
        ])

    private static let openDocs = Route.Docs(
        "Open a site",
        body: .object([
            .required("name", .text(max: 200)),
            .required("zone", .text(max: 64), "A name of the IANA tz database"),
            .required("currency", .text(min: 3, max: 3), "ISO 4217"),
        ]),
        answers: [(201, LocationView.schema)], problems: ["location_exists", "unknown_zone"])

    private static let cardDocs = Route.Docs(
        "The facts of a site that other services keep",
        answers: [
            (200, .object([.required("locationId", .id), .required("zone", .text(max: 64)), .required("currency", .text(max: 3))]))
        ])
}
