import Access
import Bootstrap
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// Practitioners come, go and take breaks.
@LoopActor
struct PresenceRoutes {
    let host: Host
    let boards: Boards

    var table: [Route] {
        [
            .put(
                "/v1/providers/:id/presence", for: .setPresence,
                .init(
                    "Say whether a practitioner is there",
                    body: .object([
                        .required("status", .choice(Presence.Status.allCases.map(\.rawValue))),
                        .optional("until", .nullable(.instant), "when they are back: from then on they are online again"),
                        .optional("room", .nullable(.text(max: 20)), "what screens show"),
                    ]),
                    answers: [(200, PresenceView.schema)]), set)
        ]
    }

    private func set(_ request: Request, by caller: Principal) async throws -> Response {
        let id = try request.id("id", of: Provider.self)
        let status = try request.body.required("status", as: Presence.Status.self)
        let until = try request.body.optional("until", as: Timestamp.self)
        let room = try request.body.optional("room", as: String.self)
        let now = host.now()
        if let until, until <= now { throw Problem.invalid("until", "in_past", "This time is over.") }
        let provider: ProviderCard
        do { provider = try await Cards(host: host, caller: caller).provider(id) } catch TokenError.providerUnknown {
            throw Problem.notFound("provider")
        }
        guard caller.has(.reception) || caller.has(.admin) || provider.account == caller.account else {
            throw Problem.forbidden
        }
        let today = (Zone(provider.zone) ?? .utc).localDate(of: now)

        var shownAt: [LocationID] = []
        let response = try await host.write(request, by: caller) { tx in
            guard let presence = try await PresenceStore(sql: tx).set(status, until: until, room: room, of: id)
            else { throw Problem.internalError }
            shownAt = try await TokenStore(sql: tx, scope: caller.deskScope).touchBoards(of: id, on: today)
            try tx.announce(presence.changed, revision: presence.version)
            try tx.audit(
                "update", "presence", id.description, before: nil,
                after: JSONObject([("status", .string(status.rawValue))]))
            return .json(200, PresenceView(presence: presence), version: presence.version)
        }
        for location in shownAt {
            boards.changed(Board.Key(tenant: caller.tenant, location: location, date: today))
        }
        return response
    }
}

private struct PresenceView: JSONWritable {
    let presence: Presence

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("providerId", presence.provider)
            $0.field("status", presence.status.rawValue)
            $0.field("until", presence.until)
            $0.field("room", presence.room)
        }
    }

    static let schema = Schema.object([
        .required("providerId", .id), .required("status", .choice(Presence.Status.allCases.map(\.rawValue))),
        .optional("until", .instant), .optional("room", .text(max: 20)),
    ])
}
