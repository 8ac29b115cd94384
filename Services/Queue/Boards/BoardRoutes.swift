import Access
import Bootstrap
import HTTP
import JSON
import Loop
import Postgres
import Primitives

/// What staff and screens see of the waiting room.
@LoopActor
struct BoardRoutes {
    let host: Host
    let boards: Boards

    var table: [Route] {
        let summary = Route.Docs(
            "Read today's figures", query: Self.query, answers: [(200, SummaryView.schema)])
        return [
            .get(
                "/v1/queue/today", for: .readQueue,
                .init("Read today's queue", query: Self.query, answers: [(200, TodayView.schema)]), today),
            .get("/v1/queue/today/summary", for: .readQueue, summary, self.summary),
            .get("/v1/queue/summary", for: .readQueue, summary, self.summary),
            .get(
                "/v1/queue/display", for: .showDisplay,
                .init(
                    "Read what the waiting room's screen shows: numbers and rooms, never a name",
                    query: [.optional("locationId", .id)], answers: [(200, DisplayView.schema)]), display),
            .get(
                "/v1/queue/display/events", for: .showDisplay,
                .init(
                    "Follow the waiting room's screen as server-sent events",
                    query: [.optional("locationId", .id)]), follow),
        ]
    }

    private static let query: [Schema.Field] = [
        .optional("providerId", .id), .optional("locationId", .id, "the caller's by default"),
    ]

    private func key(_ request: Request, by caller: Principal) async throws -> Board.Key {
        let location = try request.query.optional("locationId", as: LocationID.self) ?? caller.location
        return try await key(location, by: caller)
    }

    /// Today at that site, which may be another day than here.
    private func key(_ location: LocationID, by caller: Principal) async throws -> Board.Key {
        do {
            let zone = try await Cards(host: host, caller: caller).zone(of: location)
            return Board.Key(tenant: caller.tenant, location: location, date: zone.localDate(of: host.now()))
        } catch TokenError.locationUnknown { throw Problem.notFound("location") }
    }

    private func today(_ request: Request, by caller: Principal) async throws -> Response {
        let key = try await key(request, by: caller)
        let board = try await boards.board(key)
        let provider = try request.query.optional("providerId", as: ProviderID.self)
        let shown = provider.map(board.of) ?? board
        caller.trail?.looked(at: "queue", key.location.description, JSONObject([("date", .string("\(key.date)"))]))
        return .json(200, TodayView(key: key, board: shown, now: host.now()))
    }

    private func summary(_ request: Request, by caller: Principal) async throws -> Response {
        let key = try await key(request, by: caller)
        let board = try await boards.board(key)
        let provider = try request.query.optional("providerId", as: ProviderID.self)
        return .json(200, SummaryView(key: key, summary: (provider.map(board.of) ?? board).summary))
    }

    private func display(_ request: Request, by caller: Principal) async throws -> Response {
        let key = try await key(request, by: caller)
        return .json(200, DisplayView(key: key, board: try await boards.boardForScreen(key), now: host.now()))
    }

    /// The board now, and again whenever it changes. Ends with the screen's token or once that is withdrawn, and after
    /// ten minutes, so that the screen comes back with one that is still good.
    private func follow(_ request: Request, by caller: Principal) async throws -> Response {
        let first = try await key(request, by: caller)
        let token = try host.verifier.verify(caller.bearer, at: host.now())
        let until = host.now().adding(seconds: 600)
        return Response(
            200, headers: [("Content-Type", "text/event-stream"), ("Cache-Control", "no-store")],
            body: .events { stream in
                let watch = boards.watch(first)
                defer { boards.end(watch) }
                var sent: Boards.Screen?
                var idle = 0
                while stream.isOpen, !Task.isCancelled, host.now() < until,
                    host.verifier.stillAdmits(token, at: host.now())
                {
                    if let screen = try? await boards.screen(first), screen != sent {
                        let id = "\(screen.version)"
                        guard await stream.send(event: "board", id: id, data: screen.body) else { return }
                        sent = screen
                        idle = 0
                    } else if idle >= 3 {
                        // Keeps proxies from closing the line.
                        guard await stream.send(event: "ping", data: Array("{}".utf8)) else { return }
                        idle = 0
                    }
                    idle += 1
                    await watch.wait(atMost: .seconds(5))
                }
            })
    }
}
