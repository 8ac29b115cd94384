import Access
import HTTP
import HTTPClient
import JSON
import Loop

/// How the whole suite is, for a person at 3 a.m. and for a load balancer: 200 only when every service is ready.
@LoopActor struct HealthRoutes {
    let services: [String: String]
    let client: HTTPClient

    var table: [Route] {
        [
            .anyone(
                "GET", "/health",
                .init(
                    "Ask whether every service is ready",
                    answers: [(200, Self.schema), (503, Self.schema)]), health)
        ]
    }

    private static let schema = Schema.object([
        .required("status", .choice(["ready", "not_ready"])), .required("services", .any),
    ])

    private func health(_ request: Request) async throws -> Response {
        let client = client
        // All at once: the slowest answers within its deadline, not the sum of them.
        let asked = services.sorted { $0.key < $1.key }.map { name, url in
            (name, EventLoop.spawn { await Self.ask(url + "/readyz", by: client) })
        }
        var lines: [(name: String, state: String)] = []
        for (name, task) in asked { lines.append((name, (try? await task.value) ?? "unreachable")) }

        let isReady = !lines.isEmpty && lines.allSatisfy { $0.state == "ready" }
        var json = JSONWriter()
        json.object {
            $0.field("status", isReady ? "ready" : "not_ready")
            $0.object("services") { for line in lines { $0.field(line.name, line.state) } }
        }
        return Response(
            isReady ? 200 : 503, headers: [("Content-Type", "application/json")], body: .bytes(json.bytes))
    }

    private static func ask(_ url: String, by client: HTTPClient) async -> String {
        guard let answer = try? await client.request("GET", url, deadline: .seconds(1)) else { return "unreachable" }
        return answer.status == 200 ? "ready" : "not ready"
    }
}
