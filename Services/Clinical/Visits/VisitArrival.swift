import Access
import Bootstrap
import JSON
import Loop
import Postgres
import Primitives

/// How the patient came to this visit: asked of the services that own tokens and appointments, before any transaction.
@LoopActor struct VisitArrival {
    let host: Host
    let caller: Principal

    struct Links: Sendable {
        var token: TokenID?
        var appointment: AppointmentID?
        /// Who is here now, with whom and where: nil when nobody is, such as for a token of last week.
        var presence: Presence?
    }

    /// A patient who is in the clinic today.
    struct Presence: Sendable {
        /// They came to the caller.
        let isOwn: Bool
        let location: LocationID
    }

    func check(_ body: JSONObject, patient: PatientID) async throws -> Links {
        var links = Links()
        if let token = try body.optional("tokenId", as: TokenID.self) {
            guard let card = try await host.cards.ask("queue", "/internal/cards/tokens/\(token)", as: caller) else {
                throw VisitError.tokenUnknown
            }
            guard try card.required("patientId", as: PatientID.self) == patient else { throw VisitError.tokenMismatch }
            links.token = token
            links.appointment = try card.optional("appointmentId")
            links.presence = try await presence(card, while: ["WAITING", "WITH_DOCTOR", "SKIPPED"])
        }
        if let appointment = try body.optional("appointmentId", as: AppointmentID.self) {
            let path = "/internal/cards/appointments/\(appointment)"
            guard let card = try await host.cards.ask("scheduling", path, as: caller) else {
                throw VisitError.appointmentUnknown
            }
            guard try card.required("patientId", as: PatientID.self) == patient,
                links.appointment == nil || links.appointment == appointment
            else { throw VisitError.appointmentMismatch }
            if try card.optional("modality", as: String.self) == "telemedicine" {
                let agreed = try await Consent.standing(of: patient, host.db.reader(for: caller.tenant))
                guard agreed.contains(.teleconsultation) else { throw VisitError.consentMissing }
            }
            links.appointment = appointment
            if links.token == nil { links.presence = try await presence(card, while: ["booked", "arrived"]) }
        }
        return links
    }

    /// A card that is over, of another day at its site, or that says too little opens nothing by itself.
    private func presence(_ card: JSONObject, while live: Set<String>) async throws -> Presence? {
        guard let status = try card.optional("status", as: String.self), live.contains(status),
            let location = try card.optional("locationId", as: LocationID.self),
            let provider = try card.optional("providerId", as: ProviderID.self),
            let day = try card.optional("localDate", as: LocalDate.self),
            let zone = try await zone(of: location), day == zone.localDate(of: host.now())
        else { return nil }
        return Presence(isOwn: try await account(of: provider) == caller.account, location: location)
    }

    private func zone(of location: LocationID) async throws -> Zone? {
        if location == caller.location { return Zone(caller.zone) }
        let card = try await host.cards.ask("auth", "/internal/cards/locations/\(location)", as: caller)
        return try card?.optional("zone", as: String.self).flatMap { Zone($0) }
    }

    private func account(of provider: ProviderID) async throws -> AccountID? {
        let known = try await CareStore(sql: host.db.reader(for: caller.tenant)).account(of: provider)
        if let known { return known }
        let card = try await host.cards.ask("scheduling", "/internal/cards/providers/\(provider)", as: caller)
        return try card?.optional("accountId")
    }
}
