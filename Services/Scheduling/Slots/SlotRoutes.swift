import Access
import Bootstrap
import Contracts
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// Opening, listing and blocking a practitioner's time.
@LoopActor
struct SlotRoutes {
    let host: Host

    var table: [Route] {
        [
            .post(
                "/v1/slots/bulk", for: .openSlots,
                .init(
                    "Open a practitioner's time", body: Self.bulk,
                    answers: [(201, .object([
                        .required("created", .integer(0...10_000)), .required("skipped", .integer(0...10_000)),
                    ]))],
                    problems: ["provider_inactive", "provider_unlicensed", "location_unknown", "slot_in_past", "too_many_slots"]), open),
            .get(
                "/v1/slots", for: .readSlots,
                .init(
                    "List slots",
                    query: [
                        .optional("providerId", .id), .optional("date", .date),
                        .optional("status", .choice(Slot.Status.allCases.map(\.rawValue))),
                        .optional("limit", .integer(1...100)), .optional("cursor", .text(max: 500)),
                    ],
                    answers: [(200, .page(of: SlotView.schema))]), list),
            .get(
                "/v1/slots/:id", for: .readSlots, .init("Read a slot", answers: [(200, SlotView.schema)]), show),
            .patch(
                "/v1/slots/:id", for: .blockSlots,
                .init(
                    "Block or unblock a slot",
                    body: .object([
                        .required("status", .choice(["blocked", "free"])),
                        .optional("reason", .nullable(.text(max: 200))),
                    ]),
                    answers: [(200, SlotView.schema)], problems: ["slot_booked"], isMergePatch: true), change),
        ]
    }

    private static let bulk = Schema.object([
        .required("providerId", .id), .optional("locationId", .id, "the caller's by default"),
        .required("from", .date), .required("to", .date, "at most 366 days"),
        .optional("weekdays", .list(of: .integer(1...7), min: 1, max: 7), "1 is Monday; all by default"),
        .required("start", .time), .required("end", .time),
        .required("slotMinutes", .integer(15...30), "15 or 30"),
    ])

    private func open(_ request: Request, by caller: Principal) async throws -> Response {
        let body = request.body
        let providerID = try body.required("providerId", as: ProviderID.self)
        let location = try body.optional("locationId", as: LocationID.self) ?? caller.location
        let minutes = try body.required("slotMinutes", as: Int.self)
        guard minutes == 15 || minutes == 30 else {
            throw Problem.invalid("slotMinutes", "not_a_choice", "Slots are 15 or 30 minutes.")
        }
        let roster = try Roster(
            from: try body.required("from"), to: try body.required("to"),
            weekdays: Set(try body.optional("weekdays", as: [Int].self) ?? Array(1...7)),
            opens: try body.required("start"), closes: try body.required("end"), slotMinutes: minutes)
        let zone = try await Locations(host: host).zone(of: location, as: caller)
        let (slots, early) = try roster.openings(in: zone, at: host.now())

        return try await host.write(request, by: caller) { tx in
            let providers = ProviderStore(sql: tx)
            guard let provider = try await providers.find(providerID) else { throw Problem.notFound("provider") }
            try provider.requireChange(by: caller)
            try provider.requireBookable(on: roster.from)
            guard let revision = try await providers.nextRosterRevision(providerID) else {
                throw ProviderError.inactive
            }
            try await CardStore(sql: tx).remember(tenant: caller.tenant)
            let created = try await SlotStore(sql: tx).open(slots, of: providerID, at: location)
            if created > 0 {
                try tx.announce(
                    SlotsOpened(providerID: providerID, from: roster.from, to: roster.to, created: created),
                    revision: revision)
            }
            try tx.audit(
                "create", "slots", providerID.description, before: nil,
                after: JSONObject([
                    ("from", .string("\(roster.from)")), ("to", .string("\(roster.to)")),
                    ("created", .int(Int64(created))),
                ]))
            return .created(OpenedView(created: created, skipped: slots.count - created + early))
        }
    }

    private func list(_ request: Request, by caller: Principal) async throws -> Response {
        let query = request.query
        let limit = try query.optional("limit", as: Int.self) ?? 50
        let status = try query.optional("status", as: String.self).flatMap(Slot.Status.init(rawValue:))
        let filter = SlotStore.Filter(
            provider: try query.optional("providerId"), date: try query.optional("date"), status: status,
            now: host.now())
        let after = try TimePlace(query, of: SlotKind.self)

        let store = SlotStore(sql: host.db.reader(for: caller.tenant))
        let found = try await store.list(filter, after: after.map { ($0.start, $0.id) }, limit: limit + 1)

        let page = found.prefix(limit)
        let next = found.count > limit ? page.last.map { TimePlace(start: $0.start, id: $0.id).cursor } : nil
        return .page(page.map(SlotView.init), next: next, of: request)
    }

    private func show(_ request: Request, by caller: Principal) async throws -> Response {
        let id = try request.id("id", of: SlotKind.self)
        guard let slot = try await SlotStore(sql: host.db.reader(for: caller.tenant)).find(id)
        else { throw Problem.notFound("slot") }
        return .json(200, SlotView(slot: slot), version: slot.version)
    }

    private func change(_ request: Request, by caller: Principal) async throws -> Response {
        let id = try request.id("id", of: SlotKind.self)
        let version = try request.ifMatch()
        let isBlocking = try request.body.required("status", as: String.self) == "blocked"
        let reason = try request.body.optional("reason", as: String.self)

        return try await host.write(request, by: caller) { tx in
            let store = SlotStore(sql: tx)
            guard var slot = try await store.findForUpdate(id),
                let provider = try await ProviderStore(sql: tx).find(slot.provider)
            else { throw Problem.notFound("slot") }
            try provider.requireChange(by: caller)
            guard slot.version == version else { throw Problem.staleVersion }
            let before = slot.status
            if isBlocking ? try slot.block(because: reason) : try slot.unblock() {
                try await store.update(slot)
                try tx.audit(
                    isBlocking ? "block" : "unblock", "slot", id.description,
                    before: JSONObject([("status", .string(before.rawValue))]),
                    after: JSONObject([("status", .string(slot.status.rawValue))]))
            }
            return .json(200, SlotView(slot: slot), version: slot.version)
        }
    }
}

struct SlotView: JSONWritable {
    let slot: Slot

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("id", slot.id)
            $0.field("providerId", slot.provider)
            $0.field("locationId", slot.location)
            $0.field("date", slot.localDate)
            $0.field("start", slot.start)
            $0.field("end", slot.end)
            $0.field("status", slot.status.rawValue)
            $0.field("reason", slot.blockReason)
            $0.field("version", slot.version)
        }
    }

    static let schema = Schema.object([
        .required("id", .id), .required("providerId", .id), .required("locationId", .id), .required("date", .date),
        .required("start", .instant), .required("end", .instant),
        .required("status", .choice(Slot.Status.allCases.map(\.rawValue))), .optional("reason", .text(max: 200)),
        .required("version", .integer(1...Int64.max)),
    ])
}

private struct OpenedView: JSONWritable {
    let created: Int
    let skipped: Int

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("created", created)
            $0.field("skipped", skipped)
        }
    }
}

extension SlotError: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .booked: .conflict("slot_booked", "A patient has this slot. Move or cancel the appointment first.")
        }
    }
}

extension RosterError: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .datesReversed: .invalid("to", "before_from", "The last day is before the first.")
        case .tooLong: .invalid("to", "out_of_range", "At most \(Roster.maximumDays) days at once.")
        case .hoursTooShort: .invalid("end", "before_start", "No slot fits between start and end.")
        case .tooManySlots:
            .refused("too_many_slots", "At most \(Roster.maximumSlots) slots at once. Ask for fewer days.")
        case .inPast: .refused("slot_in_past", "The first day is over.")
        }
    }
}
