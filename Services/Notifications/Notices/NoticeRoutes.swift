import Access
import Bootstrap
import HTTP
import JSON
import Loop
import Postgres
import Primitives

/// A person's notices: listed, marked read, and live.
@LoopActor struct NoticeRoutes {
    let host: Host
    let hub: LiveHub

    var table: [Route] {
        [
            .get(
                "/v1/notifications", for: .readNotifications,
                .init(
                    "List your notices, newest first",
                    query: [.optional("limit", .integer(1...100)), .optional("cursor", .text(max: 500))],
                    answers: [(200, .object([.required("items", .list(of: NoticeView.schema, max: 100)), .optional("nextCursor", .text(max: 500))]))]),
                list),
            .post(
                "/v1/notifications/:id/read", for: .readNotifications,
                .init("Mark a notice as read", answers: [(204, nil)]), read),
            .get(
                "/v1/notifications/live", for: .readNotifications,
                .init("Follow your notices over a WebSocket: one JSON text message for each", answers: [(101, nil)]),
                live),
        ]
    }

    private func list(_ request: Request, by caller: Principal) async throws -> Response {
        let limit = try request.query.optional("limit", as: Int.self) ?? 50
        var before: (Timestamp, NoticeID)?
        if let cursor = try request.query.optional("cursor", as: String.self) {
            let parts = try Cursor.decode(cursor)
            guard parts.count == 2, let at = Timestamp(parts[0]), let id = NoticeID(parts[1]) else {
                throw Problem.invalid("cursor", "invalid_cursor", "Use nextCursor as it came.")
            }
            before = (at, id)
        }

        let notices = try await NoticeStore(sql: host.db.reader(for: caller.tenant)).list(
            of: try await Reader.of(caller, on: host), before: before, limit: limit)

        let next = notices.count == limit ? notices.last.map { Cursor.encode(["\($0.at)", "\($0.id)"]) } : nil
        return .page(notices.map(NoticeView.init), next: next, of: request)
    }

    private func read(_ request: Request, by caller: Principal) async throws -> Response {
        let id = try request.id("id", of: NoticeKind.self)
        let now = host.now()
        let reader = try await Reader.of(caller, on: host)
        return try await host.write(request, by: caller) { tx in
            guard try await NoticeStore(sql: tx).markRead(id, by: reader, at: now) else { throw Problem.notFound("notice") }
            return .noContent
        }
    }

    private func live(_ request: Request, by caller: Principal) async throws -> Response {
        let hub = hub
        let reader = try await Reader.of(caller, on: host)
        return Response(101, body: .webSocket { socket in await hub.follow(socket, as: caller, hearing: reader) })
    }
}

extension Principal {
    var roleNames: [String] { roles.map(\.rawValue).sorted() }
}

struct NoticeView: JSONWritable {
    let notice: Notice

    init(_ notice: Notice) { self.notice = notice }

    static let schema = Schema.object([
        .required("id", .id), .required("kind", .text(max: 100)), .required("subjectId", .id),
        .required("at", .instant), .optional("readAt", .instant),
    ])

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("id", notice.id)
            $0.field("kind", notice.kind)
            $0.field("subjectId", notice.subject)
            $0.field("at", notice.at)
            $0.field("readAt", notice.readAt)
        }
    }
}
