import HTTP
import JSON
import Loop
import Postgres
import Redis

/// What orchestrators ask: is it alive, may it be sent requests, has it started once?
///
/// Redis and the broker never make a process unready: without them it is slower or later, not wrong.
@LoopActor final class Health {
    private let host: Host
    private let migrations: MigrationWatch
    private let broker: () -> String
    private let metrics: () -> String
    private(set) var hasStarted = false
    /// Set when the process is told to end: nobody new should be sent here.
    var isDraining = false

    init(_ host: Host, migrations: MigrationWatch, broker: @escaping () -> String, metrics: @escaping () -> String) {
        self.host = host
        self.migrations = migrations
        self.broker = broker
        self.metrics = metrics
    }

    var isReady: Bool {
        let ready = !isDraining && host.db.isReady && migrations.isCurrent && host.hasRevocations
        if ready { hasStarted = true }
        return ready
    }

    func answer(_ request: Request) -> Response {
        guard request.method == "GET" || request.method == "HEAD" else {
            var problem = Problem(405, "method_not_allowed", "Ask with GET.")
            problem.headers = [("Allow", "GET, HEAD")]
            return .problem(problem, traceID: request.traceID)
        }
        switch request.path {
        // The loop turned: that is all there is to being alive.
        case "/livez": return Self.state(200, ["status": "alive"])
        case "/readyz": return readiness()
        case "/startupz":
            _ = isReady
            return Self.state(hasStarted ? 200 : 503, ["status": hasStarted ? "started" : "starting"])
        case "/metrics":
            return Response(
                200, headers: [("Content-Type", "text/plain; version=0.0.4; charset=utf-8")],
                body: .bytes(Array(metrics().utf8)))
        default: return .problem(.notFound("resource"), traceID: request.traceID)
        }
    }

    private func readiness() -> Response {
        let ready = isReady
        var state: JSONObject = [
            "status": "ready",
            "database": host.db.isReady ? "up" : "down",
            "migrations": .string(migrations.state),
            "revocations": host.hasRevocations ? "loaded" : "not loaded",
            "redis": host.redis.isReady ? "up" : "down",
            "broker": .string(broker()),
        ]
        let isDegraded = state.members.contains { $0.value == "down" || $0.value == "blocked" }
        state.members[0].value = isDraining ? "draining" : !ready ? "waiting" : isDegraded ? "degraded" : "ready"
        return Self.state(ready ? 200 : 503, state)
    }

    private static func state(_ status: Int, _ body: JSONObject) -> Response {
        var response = Response.json(status, body)
        response.headers.append(("Cache-Control", "no-store"))
        return response
    }
}
