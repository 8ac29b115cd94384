import Access
import Bootstrap
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// How a patient gets a token: by an appointment, or by walking in.
@LoopActor
struct ArrivalRoutes {
    let host: Host
    let boards: Boards
    let grace: Duration

    var table: [Route] {
        [
            .post(
                "/v1/queue/check-in", for: .checkIn,
                .init(
                    "Check a patient in for an appointment", body: .object([.required("appointmentId", .id)]),
                    answers: [(201, TokenView.schema)],
                    problems: [
                        "already_checked_in", "not_today", "appointment_cancelled", "appointment_fulfilled",
                        "appointment_requested", "appointment_unknown",
                    ]), checkIn),
            .post(
                "/v1/queue/walk-in", for: .checkIn,
                .init(
                    "Give a patient without an appointment a token",
                    body: .object([
                        .required("patientId", .id), .required("providerId", .id),
                        .optional(
                            "priority", .choice(Priority.allCases.map(\.rawValue)), "routine by default"),
                        .optional("force", .boolean, "to a practitioner who is offline, all the same: the trail says so"),
                    ]),
                    answers: [(201, TokenView.schema)],
                    problems: [
                        "already_waiting", "patient_unknown", "patient_inactive", "provider_unknown", "provider_inactive",
                        "provider_unlicensed", "provider_offline",
                    ]),
                walkIn),
        ]
    }

    private func checkIn(_ request: Request, by caller: Principal) async throws -> Response {
        let id = try request.body.required("appointmentId", as: AppointmentID.self)
        let cards = Cards(host: host, caller: caller)
        let now = host.now()
        let appointment = try await cards.appointment(id, arrivingAt: now)
        guard let location = appointment.location else { throw TokenError.appointmentUnknown }
        let place = Place(
            priority: appointment.priority, bookedFor: appointment.start, arrivedAt: now,
            graceSeconds: grace.components.seconds)
        let arrival = TokenStore.Arrival(
            id: TokenID(), patient: appointment.patient, provider: appointment.provider, location: location,
            appointment: id, localDate: appointment.localDate, priority: appointment.priority, place: place, at: now)
        // Who was promised a time has come, whether the practitioner is there or not: the desk sees the status and finds a way.
        return try await issue(arrival, "check-in", insisting: true, request, caller)
    }

    private func walkIn(_ request: Request, by caller: Principal) async throws -> Response {
        let patient = try request.body.required("patientId", as: PatientID.self)
        let provider = try request.body.required("providerId", as: ProviderID.self)
        let priority = try request.body.optional("priority", as: Priority.self) ?? .routine
        let cards = Cards(host: host, caller: caller)
        let now = host.now()
        let today = caller.today(at: now)
        try await cards.requireWorking(provider, on: today)
        try await cards.requireActive(patient)
        let arrival = TokenStore.Arrival(
            id: TokenID(), patient: patient, provider: provider, location: caller.location, appointment: nil,
            localDate: today, priority: priority,
            place: Place(
                priority: priority, bookedFor: nil, arrivedAt: now, graceSeconds: grace.components.seconds),
            at: now)
        let force = try request.body.optional("force", as: Bool.self) ?? false
        return try await issue(arrival, "walk-in", insisting: force, request, caller)
    }

    private func issue(
        _ arrival: TokenStore.Arrival, _ action: String, insisting: Bool, _ request: Request, _ caller: Principal
    ) async throws -> Response {
        let response = try await host.write(request, by: caller) { tx in
            let isAway = try await PresenceStore(sql: tx).find(arrival.provider)?.status(at: arrival.at) == .offline
            guard insisting || !isAway else { throw TokenError.providerOffline }
            guard let (token, position) = try await TokenStore(sql: tx, scope: caller.deskScope).issue(arrival) else {
                throw arrival.appointment == nil ? TokenError.alreadyWaiting : .alreadyCheckedIn
            }
            try tx.announce(token.issued, revision: token.version)
            try tx.audit(action, "token", token.id.description, of: token.patient, before: nil, after: token.trace(whileAway: isAway))
            return .created(
                TokenView(token: token, position: position), version: token.version,
                at: "/v1/queue/tokens/\(token.id)")
        }
        boards.changed(Board.Key(tenant: caller.tenant, location: arrival.location, date: arrival.localDate))
        return response
    }
}
