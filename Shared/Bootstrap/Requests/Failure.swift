import Cryptography
import HTTP
import JSON
import Loop
import Postgres
import Primitives
import Redis

/// What an error thrown while answering means. The only way from an error to a client.
enum Failure {
    /// A refusal that says itself what it is.
    case refused(Problem)
    /// Something we need is not there right now: 503, and the client may try again.
    case unavailable(reason: String)
    /// Our mistake: 500, with the detail in the log only.
    case ours(detail: String)

    init(_ error: any Error) {
        switch error {
        case let refusal as any ProblemConvertible: self = .refused(refusal.problem)
        case let error as PostgresError:
            switch error.code {
            case .unavailable where error.sqlState == PostgresError.unknownOutcome.sqlState:
                self = .refused(Self.outcomeUnknown)
            case .unavailable, .timeout, .serialization: self = .unavailable(reason: "postgres: \(error.code)")
            case .constraint, .decoding, .server:
                let constraint = error.constraint.map { ", constraint \($0)" } ?? ""
                self = .ours(detail: "postgres \(error.sqlState)\(constraint): \(error.message)")
            }
        case is RedisError: self = .unavailable(reason: "redis")
        case is BlockingPool.Overloaded: self = .unavailable(reason: "blocking pool is full")
        case CryptographyError.unknownKey: self = .unavailable(reason: "a key that is not in our files yet, or no more")
        case is CancellationError: self = .unavailable(reason: "cancelled")
        case let error as JSONError: self = .ours(detail: Self.say(error))
        default: self = .ours(detail: Self.name(error))
        }
    }

    /// The connection went away during the commit: not saying so would invite a second booking.
    private static let outcomeUnknown: Problem = {
        var problem = Problem(
            503, "outcome_unknown",
            "The change may have been kept. Repeat it with the same Idempotency-Key, or look first.")
        problem.headers = [("Retry-After", "1")]
        return problem
    }()

    /// The type of an error, with its case when that carries nothing: payloads may quote people.
    private static func name(_ error: any Error) -> String {
        let type = String(reflecting: type(of: error))
        let mirror = Mirror(reflecting: error)
        guard mirror.displayStyle == .enum else { return type }
        return mirror.children.isEmpty ? "\(type).\(error)" : "\(type).\(mirror.children.first?.label ?? "")"
    }

    private static func say(_ error: JSONError) -> String {
        switch error {
        case .member(let name): "JSON member \(name) is missing or of another kind"
        case .malformed(let reason, let offset): "malformed JSON at byte \(offset): \(reason)"
        }
    }
}
