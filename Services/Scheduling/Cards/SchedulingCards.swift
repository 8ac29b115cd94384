import Access
import Bootstrap
import HTTP
import JSON
import Loop
import Postgres
import Primitives

/// What other services may ask about appointments and practitioners: ids and states, on a path without a gateway.
@LoopActor
struct SchedulingCards {
    let host: Host

    var table: [Route] {
        [
            .get("/internal/cards/appointments/:id", for: .readCards, .init("The card of an appointment"), appointment),
            .get("/internal/cards/providers/:id", for: .readCards, .init("The card of a practitioner"), provider),
            .get(
                "/internal/cards/accounts/:id/provider", for: .readCards,
                .init("The practitioner that an account is"), providerOfAccount),
        ]
    }

    private func appointment(_ request: Request, by caller: Principal) async throws -> Response {
        let id = try request.id("id", of: AppointmentKind.self)
        guard let found = try await AppointmentStore(sql: host.db.reader(for: caller.tenant), scope: caller.deskScope)
            .find(id)
        else { throw Problem.notFound("appointment") }
        var json = JSONWriter()
        json.object {
            $0.field("appointmentId", found.id)
            $0.field("patientId", found.patient)
            $0.field("providerId", found.provider)
            $0.field("locationId", found.location)
            $0.field("start", found.start)
            $0.field("end", found.end)
            $0.field("localDate", found.localDate)
            $0.field("status", found.status.rawValue)
            $0.field("priority", found.priority.rawValue)
            $0.field("modality", found.modality.rawValue)
            $0.field("version", found.version)
        }
        return .document("application/json", json.bytes)
    }

    private func provider(_ request: Request, by caller: Principal) async throws -> Response {
        let id = try request.id("id", of: Provider.self)
        let store = ProviderStore(sql: host.db.reader(for: caller.tenant))
        return try card(try await store.find(id))
    }

    private func providerOfAccount(_ request: Request, by caller: Principal) async throws -> Response {
        let account = try request.id("id", of: Account.self)
        let store = ProviderStore(sql: host.db.reader(for: caller.tenant))
        return try card(try await store.find(account: account))
    }

    private func card(_ provider: Practitioner?) throws -> Response {
        guard let provider else { throw Problem.notFound("provider") }
        var json = JSONWriter()
        json.object {
            $0.field("providerId", provider.id)
            $0.field("accountId", provider.account)
            $0.field("locationId", provider.location)
            $0.field("zone", provider.zone)
            $0.field("active", provider.isActive)
            $0.field("licensedUntil", provider.hasLicence ? provider.licensedUntil : nil)
        }
        return .document("application/json", json.bytes)
    }
}
