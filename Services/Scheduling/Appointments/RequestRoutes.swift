import Access
import Bootstrap
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// Answering what patients ask for, where the practitioner wants to be asked.
@LoopActor
struct RequestRoutes {
    let host: Host

    var table: [Route] {
        [
            .post(
                "/v1/appointments/:id/decision", for: .answerRequests,
                .init(
                    "Accept or decline a request (a doctor: the own)",
                    body: .object([
                        .required("accepted", .boolean),
                        .optional("reason", .nullable(.text(max: 500)), "required to decline; to the patient"),
                    ]),
                    answers: [(200, AppointmentView.schema)],
                    problems: ["not_requested", "request_expired", "provider_inactive", "provider_unlicensed"]), decide)
        ]
    }

    private func decide(_ request: Request, by caller: Principal) async throws -> Response {
        let id = try request.id("id", of: AppointmentKind.self)
        let isAccepted = try request.body.required("accepted", as: Bool.self)
        let reason = try request.body.optional("reason", as: String.self)
        if !isAccepted, reason == nil { throw Problem.invalid("reason", "required", "Say why, for the patient.") }
        let words = AppointmentWords(host: host, tenant: caller.tenant, trail: caller.trail)
        let ring = try await words.ring(toSeal: reason)

        return try await host.write(request, by: caller) { tx in
            let store = AppointmentStore(sql: tx, scope: caller.bookingScope)
            guard var appointment = try await store.findForUpdate(id) else {
                throw try await AppointmentStore(sql: tx, scope: .system(caller.tenant)).refusal(of: id, to: caller)
            }
            if !(caller.has(.reception) || caller.has(.admin)) { try await requireOwn(appointment, of: caller, in: tx) }
            let before = appointment
            if isAccepted {
                let booked = try appointment.accept(at: host.now())
                guard let provider = try await ProviderStore(sql: tx).find(appointment.provider) else { throw ProviderError.inactive }
                try provider.requireBookable(on: appointment.localDate)
                try await store.update(appointment)
                try tx.announce(booked, revision: appointment.version)
            } else {
                let sealed = try await words.seal(reason, .cancelReason, of: id, appointment.patient, ring, tx)
                let ended = try appointment.decline(because: sealed, by: caller.mainRole.rawValue)
                try await store.update(appointment)
                try await SlotStore(sql: tx).release(appointment.slot)
                try tx.announce(ended, revision: appointment.version)
            }
            try tx.audit(
                isAccepted ? "accept" : "decline", "appointment", id.description, of: appointment.patient,
                before: before.trace, after: appointment.trace)
            return .json(200, try await words.view(appointment, for: caller, tx), version: appointment.version)
        }
    }
}
