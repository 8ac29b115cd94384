import Access
import Bootstrap
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// Patients say how it was; whoever it is about reads it without names.
@LoopActor
struct RatingRoutes {
    let host: Host

    var table: [Route] {
        [
            .post(
                "/v1/appointments/:id/rating", for: .rateAppointments,
                .init(
                    "Rate an appointment of yours that is over, once",
                    body: .object([
                        .required("score", .integer(1...5), "5 is best"),
                        .optional("comment", .nullable(.text(max: 1000)), "to the practitioner and the clinic's administrators"),
                    ]),
                    answers: [(201, OwnRatingView.schema)], problems: ["already_rated", "not_fulfilled"]), rate),
            .get(
                "/v1/providers/:id/ratings", for: .readRatings,
                .init(
                    "List what patients said of a practitioner, newest first, without names (a doctor: of themselves)",
                    query: [.optional("limit", .integer(1...100)), .optional("cursor", .text(max: 500))],
                    answers: [(200, .page(of: RatingView.schema))]), list),
        ]
    }

    private func rate(_ request: Request, by caller: Principal) async throws -> Response {
        let id = try request.id("id", of: AppointmentKind.self)
        let score = try request.body.required("score", as: Int.self)
        let comment = try request.body.optional("comment", as: String.self)
        let ring = comment == nil ? nil : try await host.keys.ring(for: caller.tenant)

        return try await host.write(request, by: caller) { tx in
            let store = AppointmentStore(sql: tx, scope: caller.bookingScope)
            guard let appointment = try await store.find(id) else {
                throw try await AppointmentStore(sql: tx, scope: .system(caller.tenant)).refusal(of: id, to: caller)
            }
            let ratingID = RatingID()
            let words = RatingWords(host: host, tenant: caller.tenant, trail: nil)
            let rating = Rating(
                id: ratingID, appointment: id, patient: appointment.patient, provider: appointment.provider, score: score,
                comment: try await words.seal(comment, of: ratingID, appointment.patient, ring, tx), at: host.now())
            try await RatingStore(sql: tx).insert(rating)
            try tx.audit(
                "rate", "appointment", id.description, of: appointment.patient, before: nil,
                after: JSONObject([("score", .int(Int64(score)))]))
            return .created(OwnRatingView(rating: rating, comment: comment))
        }
    }

    private func list(_ request: Request, by caller: Principal) async throws -> Response {
        let id = try request.id("id", of: Provider.self)
        let limit = try request.query.optional("limit", as: Int.self) ?? 50
        var before: (Timestamp, RatingID)?
        if let cursor = try request.query.optional("cursor", as: String.self) {
            let parts = try Cursor.decode(cursor)
            guard parts.count == 2, let at = Timestamp(parts[0]), let id = RatingID(parts[1]) else {
                throw Problem.invalid("cursor", "invalid_cursor", "Use nextCursor as it came.")
            }
            before = (at, id)
        }
        let sql = host.db.reader(for: caller.tenant)
        guard let provider = try await ProviderStore(sql: sql).find(id) else { throw Problem.notFound("provider") }
        try provider.requireChange(by: caller)

        let found = try await RatingStore(sql: sql).list(of: id, before: before, limit: limit + 1)
        let page = Array(found.prefix(limit))
        caller.trail?.listed("rating_list", page.map(\.patient))
        let words = try await RatingWords(host: host, tenant: caller.tenant, trail: caller.trail).open(page, sql)
        let next = found.count > limit ? page.last.map { Cursor.encode(["\($0.at)", "\($0.id)"]) } : nil
        return .page(page.map { RatingView(rating: $0, comment: words[$0.id]) }, next: next, of: request)
    }
}

/// As whoever it is about reads one: what was said, and neither by whom nor of which appointment.
private struct RatingView: JSONWritable {
    let rating: Rating
    let comment: String?

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("id", rating.id)
            $0.field("score", rating.score)
            $0.field("comment", comment)
            $0.field("ratedAt", rating.at)
        }
    }

    static let schema = Schema.object([
        .required("id", .id), .required("score", .integer(1...5)), .optional("comment", .text(max: 1000)),
        .required("ratedAt", .instant),
    ])
}

/// As whoever rated reads it, and what the export holds.
struct OwnRatingView: JSONWritable {
    let rating: Rating
    let comment: String?

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("id", rating.id)
            $0.field("appointmentId", rating.appointment)
            $0.field("providerId", rating.provider)
            $0.field("score", rating.score)
            $0.field("comment", comment)
            $0.field("ratedAt", rating.at)
        }
    }

    static let schema = Schema.object([
        .required("id", .id), .required("appointmentId", .id), .required("providerId", .id),
        .required("score", .integer(1...5)), .optional("comment", .text(max: 1000)), .required("ratedAt", .instant),
    ])
}

extension RatingError: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .alreadyRated: .conflict("already_rated", "This appointment is rated, and a rating stands.")
        case .notOver: .conflict("not_fulfilled", "Only an appointment whose visit is over is rated. Come back after it.")
        }
    }
}
