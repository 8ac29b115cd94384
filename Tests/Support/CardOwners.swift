import HTTP
import JSON
import Loop

/// The other services, as far as cards go: one real HTTP server that answers for all of them.
@LoopActor package final class CardOwners {
    /// `"clinical /internal/cards/patients/…"` to its card; what is not here is 404.
    private var cards: [String: JSONObject] = [:]
    /// Every ask so far, in the same words.
    package private(set) var asked: [String] = []
    /// Answers 503 to everything, as an owner does that is going down.
    package var isDown = false
    private var server: HTTPServer?

    private static let services = [
        "auth", "scheduling", "queue", "clinical", "pharmacy", "billing", "notifications", "reporting", "portal",
    ]

    init() throws {
        server = try HTTPServer(host: "127.0.0.1", port: 0) { [weak self] request in
            self?.answer(request) ?? .problem(.unavailable(retryAfter: 1), traceID: request.traceID)
        }
    }

    package subscript(_ service: String, _ path: String) -> JSONObject? {
        get { cards["\(service) \(path)"] }
        set { cards["\(service) \(path)"] = newValue }
    }

    /// The value of `SERVICE_URLS`: the owner's name is the first segment of the path.
    var serviceURLs: String {
        guard let server else { return "" }
        return Self.services.map { "\($0)=http://127.0.0.1:\(server.boundPort)/\($0)" }.joined(separator: ",")
    }

    func close() async {
        await server?.drain(within: .milliseconds(10))
        server = nil
    }

    private func answer(_ request: Request) -> Response {
        let parts = request.path.dropFirst().split(separator: "/", maxSplits: 1)
        guard parts.count == 2 else { return .problem(.notFound("card"), traceID: request.traceID) }
        let ask = "\(parts[0]) /\(parts[1])"
        asked.append(ask)
        if isDown { return .problem(.unavailable(retryAfter: 1), traceID: request.traceID) }
        guard request.header("authorization")?.hasPrefix("Bearer ") == true else {
            return .problem(Problem(401, "token_missing"), traceID: request.traceID)
        }
        return cards[ask].map { .json(200, $0) } ?? .problem(.notFound("card"), traceID: request.traceID)
    }
}
