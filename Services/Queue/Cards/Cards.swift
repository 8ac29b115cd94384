import Access
import Bootstrap
import HTTP
import JSON
import Loop
import Postgres
import Primitives

/// Other services' facts as this request needs them: from our card, or from the owner when the card is missing
/// or would make us refuse somebody. Always before a transaction, never inside one.
@LoopActor
struct Cards {
    let host: Host
    let caller: Principal

    private var store: CardStore { CardStore(sql: host.db.reader(for: caller.tenant)) }

    private func keep(_ body: @LoopActor (CardStore) async throws -> Void) async throws {
        try await host.db.transaction(for: caller.tenant) { try await body(CardStore(sql: $0)) }
    }

    /// An appointment whose patient may be checked in now; throws the refusal otherwise.
    func appointment(_ id: AppointmentID, arrivingAt now: Timestamp) async throws -> AppointmentCard {
        if let card = try await store.appointment(id), let location = card.location,
            card.refusal(on: try await zone(of: location).localDate(of: now)) == nil
        {
            return card
        }
        guard let answer = try await host.cards.ask("scheduling", "/internal/cards/appointments/\(id)", as: caller)
        else { throw TokenError.appointmentUnknown }
        let card = try AppointmentCard(answer)
        try await keep { try await $0.remember([card]) }
        guard let location = card.location else { throw TokenError.appointmentUnknown }
        if let refusal = card.refusal(on: try await zone(of: location).localDate(of: now)) { throw refusal }
        return card
    }

    func provider(_ id: ProviderID) async throws -> ProviderCard {
        if let card = try await store.provider(id) { return card }
        return try await learn("/internal/cards/providers/\(id)")
    }

    /// Throws unless somebody may be sent to this practitioner on `today`: they work here, and their licence was seen and
    /// is good. A card that would refuse them is checked with the owner.
    func requireWorking(_ id: ProviderID, on today: LocalDate) async throws {
        var card = try await provider(id)
        if !(card.isActive && card.isLicensed(on: today)) { card = try await learn("/internal/cards/providers/\(id)") }
        guard card.isActive else { throw TokenError.providerInactive }
        guard card.isLicensed(on: today) else { throw TokenError.providerUnlicensed }
    }

    /// The practitioner that the caller is, who calls patients: nobody does without a licence.
    func ownProvider(callingOn today: LocalDate) async throws -> ProviderID {
        let known = try await store.provider(of: caller.account)
        if let known, known.isLicensed(on: today) { return known.id }
        let card = try await learn("/internal/cards/accounts/\(caller.account)/provider")
        guard card.isLicensed(on: today) else { throw TokenError.providerUnlicensed }
        return card.id
    }

    private func learn(_ path: String) async throws -> ProviderCard {
        guard let answer = try await host.cards.ask("scheduling", path, as: caller) else {
            throw TokenError.providerUnknown
        }
        let card = try ProviderCard(answer)
        try await keep { try await $0.remember(card, revision: 0) }
        return card
    }

    func requireActive(_ patient: PatientID) async throws {
        if try await store.isActive(patient) == true { return }
        guard let answer = try await host.cards.ask("clinical", "/internal/cards/patients/\(patient)", as: caller)
        else { throw TokenError.patientUnknown }
        let isActive = try answer.required("active", as: Bool.self)
        try await keep { try await $0.remember(patient, active: isActive) }
        guard isActive else { throw TokenError.patientInactive }
    }

    func zone(of location: LocationID) async throws -> Zone {
        if location == caller.location, let zone = Zone(caller.zone) { return zone }
        if let name = try await store.zone(of: location), let zone = Zone(name) { return zone }
        guard let answer = try await host.cards.ask("auth", "/internal/cards/locations/\(location)", as: caller)
        else { throw TokenError.locationUnknown }
        let name = try answer.required("zone", as: String.self)
        guard let zone = Zone(name) else { throw TokenError.locationUnknown }
        try await keep { try await $0.remember(location, zone: name) }
        return zone
    }
}
