import Access
import Bootstrap
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// The directory of practitioners.
@LoopActor
struct ProviderRoutes {
    let host: Host

    var table: [Route] {
        [
            .get(
                "/v1/providers", for: .readProviders,
                .init(
                    "List practitioners",
                    query: [
                        .optional("accountId", .id), .optional("locationId", .id),
                        .optional("status", .choice(["online", "offline", "break"])),
                        .optional("specialty", .text(max: 60)), .optional("limit", .integer(1...100)),
                        .optional("cursor", .text(max: 500)),
                    ],
                    answers: [(200, .page(of: ProviderView.schema))]), list),
            .get(
                "/v1/providers/:id", for: .readProviders,
                .init("Read a practitioner", answers: [(200, ProviderView.schema)]), show),
            .patch(
                "/v1/providers/:id", for: .openSlots,
                .init(
                    "Change a practitioner's profile",
                    body: .object([
                        .optional("specialties", .nullable(.list(of: .text(max: 60), max: 20))),
                        .optional("languages", .nullable(.list(of: .text(max: 60), max: 20))),
                        .optional(
                            "bookingMode", .choice(Practitioner.BookingMode.allCases.map(\.rawValue)),
                            "request: what patients book waits for an answer"),
                        .optional("requestHours", .integer(1...168), "how long it waits; 24 by default"),
                    ]),
                    answers: [(200, ProviderView.schema)], isMergePatch: true), change),
        ]
    }

    private func list(_ request: Request, by caller: Principal) async throws -> Response {
        let limit = try request.query.optional("limit", as: Int.self) ?? 50
        let filter = ProviderStore.Filter(
            account: try request.query.optional("accountId"), location: try request.query.optional("locationId"),
            presence: try request.query.optional("status"), specialty: try request.query.optional("specialty"),
            now: host.now())
        let after = try place(request)

        let store = ProviderStore(sql: host.db.reader(for: caller.tenant))
        let found = try await store.list(filter, after: after, limit: limit + 1)

        let page = found.prefix(limit)
        let next = found.count > limit ? page.last.map { Cursor.encode([$0.name, $0.id.description]) } : nil
        return .page(page.map { ProviderView(provider: $0, now: host.now()) }, next: next, of: request)
    }

    private func place(_ request: Request) throws -> (name: String, id: ProviderID)? {
        guard let cursor = try request.query.optional("cursor", as: String.self) else { return nil }
        let parts = try Cursor.decode(cursor)
        guard parts.count == 2, let id = ProviderID(parts[1]) else {
            throw Problem.invalid("cursor", "invalid_cursor", "Use a nextCursor of this list as it came.")
        }
        return (parts[0], id)
    }

    private func show(_ request: Request, by caller: Principal) async throws -> Response {
        let id = try request.id("id", of: Provider.self)
        guard let provider = try await ProviderStore(sql: host.db.reader(for: caller.tenant)).find(id)
        else { throw Problem.notFound("provider") }
        return .json(200, ProviderView(provider: provider, now: host.now()), version: provider.version)
    }

    private func change(_ request: Request, by caller: Principal) async throws -> Response {
        let id = try request.id("id", of: Provider.self)
        let version = try request.ifMatch()
        // Null clears a list, as a merge patch says; a list that is not named stays.
        let specialties = try patched("specialties", in: request.body)
        let languages = try patched("languages", in: request.body)
        let bookingMode = try request.body.optional("bookingMode", as: Practitioner.BookingMode.self)
        let requestHours = try request.body.optional("requestHours", as: Int.self)

        return try await host.write(request, by: caller) { tx in
            let store = ProviderStore(sql: tx)
            guard let provider = try await store.findForUpdate(id) else { throw Problem.notFound("provider") }
            try provider.requireChange(by: caller)
            guard
                let changed = try await store.change(
                    id, specialties: specialties, languages: languages, bookingMode: bookingMode, requestHours: requestHours,
                    version: version)
            else { throw Problem.staleVersion }
            try tx.audit(
                "update", "provider", id.description, before: nil,
                after: JSONObject([("fields", .array(request.body.members.map { .string($0.name) }))]))
            return .json(200, ProviderView(provider: changed, now: host.now()), version: changed.version)
        }
    }

    private func patched(_ name: String, in body: JSONObject) throws -> [String]? {
        guard body.has(name) else { return nil }
        return try body.optional(name, as: [String].self) ?? []
    }
}

extension Practitioner {
    /// Doctors keep their own profile and time; an admin keeps everybody's.
    func requireChange(by caller: Principal) throws(Problem) {
        guard caller.has(.admin) || account == caller.account else { throw .forbidden }
    }
}

extension Schema {
    /// What a list answers.
    static func page(of item: Schema) -> Schema {
        .object([.required("items", .list(of: item, max: 100)), .optional("nextCursor", .text(max: 500))])
    }
}

extension ProviderError: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .inactive: .refused("provider_inactive", "This practitioner can no longer be booked.")
        case .unlicensed:
            .refused("provider_unlicensed", "This practitioner's licence was not verified, or does not reach that day.")
        case .locationUnknown: .refused("location_unknown", "There is no such location.")
        }
    }
}
