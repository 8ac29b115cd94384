import Access
import Bootstrap
import JSON
import Loop
import Primitives

/// How the patient came to this visit: asked of the services that own tokens and appointments, before any transaction.
@LoopActor struct VisitArrival {
    let cards: Cards
    let caller: Principal

    struct Links: Sendable {
        var token: TokenID?
        var appointment: AppointmentID?
        var isNone: Bool { token == nil && appointment == nil }
    }

    func check(_ body: JSONObject, patient: PatientID) async throws -> Links {
        var links = Links()
        if let token = try body.optional("tokenId", as: TokenID.self) {
            guard let card = try await cards.ask("queue", "/internal/cards/tokens/\(token)", as: caller) else {
                throw VisitError.tokenUnknown
            }
            guard try card.required("patientId", as: PatientID.self) == patient else { throw VisitError.tokenMismatch }
            links.token = token
            links.appointment = try card.optional("appointmentId")
        }
        if let appointment = try body.optional("appointmentId", as: AppointmentID.self) {
            let path = "/internal/cards/appointments/\(appointment)"
            guard let card = try await cards.ask("scheduling", path, as: caller) else {
                throw VisitError.appointmentUnknown
            }
            guard try card.required("patientId", as: PatientID.self) == patient,
                links.appointment == nil || links.appointment == appointment
            else { throw VisitError.appointmentMismatch }
            links.appointment = appointment
        }
        return links
    }
}
