import Access
import Bootstrap
import JSON
import Loop
import Postgres
import Primitives

/// The zone of a site: from the token, from our card, or from auth.
@LoopActor
struct Locations {
    let host: Host

    func zone(of location: LocationID, as caller: Principal) async throws -> Zone {
        if location == caller.location, let zone = Zone(caller.zone) { return zone }
        let cards = CardStore(sql: host.db.reader(for: caller.tenant))
        if let name = try await cards.zone(of: location), let zone = Zone(name) { return zone }

        guard let card = try await host.cards.ask("auth", "/internal/cards/locations/\(location)", as: caller)
        else { throw ProviderError.locationUnknown }
        let name = try card.required("zone", as: String.self)
        guard let zone = Zone(name) else { throw ProviderError.locationUnknown }
        try await host.db.transaction(for: caller.tenant) { tx in
            try await CardStore(sql: tx).remember(location, zone: name)
        }
        return zone
    }
}
