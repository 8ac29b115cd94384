import Access
import Bootstrap
import HTTP
import JSON
import Loop
import Postgres
import Primitives

/// Tells the other services whose pages may read their answers. Between services: the gateway does not lead here.
@LoopActor struct OriginRoutes {
    let host: Host

    var table: [Route] {
        [.anyone("GET", AllowedOrigins.path, .init("Origins that browsers may ask from", answers: [(200, Self.schema)]), list)]
    }

    private func list(_ request: Request) async throws -> Response {
        let lines = try await OriginStore(sql: host.db.systemReader).all()
        var json = JSONWriter(reserving: 4096)
        json.object {
            $0.field("items", lines.map { Line(tenant: $0.tenant, isClients: $0.isClients, origin: $0.origin) })
        }
        return Response(200, headers: [("Content-Type", "application/json")], body: .bytes(json.bytes))
    }

    private struct Line: JSONWritable {
        let tenant: TenantID
        let isClients: Bool
        let origin: String

        func write(to json: inout JSONWriter) {
            json.object {
                $0.field("tenantId", tenant)
                $0.field("isClients", isClients)
                $0.field("origin", origin)
            }
        }
    }

    private static let schema = Schema.object([
        .required(
            "items",
            .list(
                of: .object([.required("tenantId", .id), .required("isClients", .boolean), .required("origin", .text(max: 500))]),
                max: 20_000))
    ])
}
