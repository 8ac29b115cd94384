import Access
import HTTP
import HTTPClient
import JSON
import Loop
import Messaging

/// Asks the owner of a fact for its card when our copy is missing or about to refuse somebody.
///
/// This is the one synchronous call between services (`docs/decisions/0002-cards.md`). It forwards the caller's own
/// token, so nobody learns through us what they may not see.
@LoopActor package final class Cards {
    private let services: [String: String]
    private let log: Log
    private lazy var client = HTTPClient()
    private var breakers: [String: Breaker] = [:]

    package nonisolated init(services: [String: String], log: Log) {
        self.services = services
        self.log = log
    }

    /// The trace of the request that is being answered, so that the owner's log line belongs to it.
    @TaskLocal static var traceparent: String?

    /// GET on the owner's internal path on behalf of `caller`; nil when the owner knows of no such thing.
    /// Throws `Problem.unavailable` when the owner cannot be asked within 2 s.
    package func ask(_ service: String, _ path: String, as caller: Principal) async throws -> JSONObject? {
        guard let base = services[service] else {
            throw failed(service, "no address in SERVICE_URLS")
        }
        guard breakers[service, default: Breaker()].allows(at: EventLoop.shared.tickTime) else {
            throw Problem.unavailable(retryAfter: 2)
        }
        let trace = Self.traceparent.map { Traceparent.child(of: $0) } ?? Traceparent.fresh()
        let answer: HTTPClient.Answer
        do {
            answer = try await client.request(
                "GET", base + path,
                headers: [
                    ("authorization", "Bearer \(caller.bearer)"), ("traceparent", trace),
                    ("accept", "application/json"),
                ],
                deadline: .seconds(2))
        } catch let failure as HTTPClient.Failure {
            throw failed(service, "\(failure)")
        }
        return try read(answer, from: service)
    }

    /// The whole of what a service keeps about somebody, as its bytes: many seconds and megabytes where a card is
    /// neither. That one was too slow says nothing about its cards, so the breaker does not hear of it.
    package func askAll(_ service: String, _ path: String, as caller: Principal) async throws -> [UInt8] {
        guard let base = services[service] else { throw Problem.unavailable(retryAfter: 2) }
        let trace = Self.traceparent.map { Traceparent.child(of: $0) } ?? Traceparent.fresh()
        let reason: String
        do {
            let answer = try await client.request(
                "GET", base + path,
                headers: [
                    ("authorization", "Bearer \(caller.bearer)"), ("traceparent", trace),
                    ("accept", "application/json"),
                ],
                deadline: .seconds(30), limit: 256 << 20)
            switch answer.status {
            case 200: return answer.body
            case 401: throw TokenRefusal.revoked
            case 403: throw Problem.forbidden
            default: reason = "status \(answer.status)"
            }
        } catch let failure as HTTPClient.Failure { reason = "\(failure)" }
        log.write(.warning, "export not answered", ("owner", service), ("reason", reason))
        throw Problem.unavailable(retryAfter: 2)
    }

    private func read(_ answer: HTTPClient.Answer, from service: String) throws -> JSONObject? {
        switch answer.status {
        case 200:
            guard case .object(let card) = try? JSONValue.parse(answer.body) else {
                throw failed(service, "its card does not read")
            }
            breakers[service]?.succeeded()
            return card
        case 404:
            breakers[service]?.succeeded()
            return nil
        case 401: throw TokenRefusal.revoked
        case 403: throw Problem.forbidden
        default: throw failed(service, "status \(answer.status)")
        }
    }

    private func failed(_ service: String, _ reason: String) -> Problem {
        breakers[service, default: Breaker()].failed(at: EventLoop.shared.tickTime)
        log.write(.warning, "card not answered", ("owner", service), ("reason", reason))
        return .unavailable(retryAfter: 2)
    }
}
