import Access
import Bootstrap
import HTTP
import JSON
import Loop
import Postgres
import Primitives

/// What other services may ask about tokens: ids and states, on a path without a gateway.
@LoopActor
struct QueueCards {
    let host: Host

    var table: [Route] {
        [.get("/internal/cards/tokens/:id", for: .readCards, .init("The card of a token"), token)]
    }

    private func token(_ request: Request, by caller: Principal) async throws -> Response {
        let id = try request.id("id", of: TokenKind.self)
        guard let token = try await TokenStore(sql: host.db.reader(for: caller.tenant), scope: caller.deskScope).find(id)
        else { throw Problem.notFound("token") }
        var json = JSONWriter()
        json.object {
            $0.field("tokenId", token.id)
            $0.field("patientId", token.patient)
            $0.field("providerId", token.provider)
            $0.field("appointmentId", token.appointment)
            $0.field("status", token.status.rawValue)
            $0.field("locationId", token.location)
            $0.field("localDate", token.localDate)
        }
        return .document("application/json", json.bytes)
    }
}
