import Access
import Primitives

/// A signing-in and what was refreshed from it.
struct Session: Equatable, Sendable {
    enum End: String, Sendable {
        case signedOut = "signed_out"
        case tokenReused = "token_reused"
        case deactivated
        case rolesChanged = "roles_changed"
        case passwordChanged = "password_changed"
    }

    let id: ID<SessionKind>
    let account: AccountID
    let startedAt: Timestamp
    /// The absolute end: refreshing never moves it.
    let expiresAt: Timestamp
    let endedAt: Timestamp?

    /// What to do with a refresh token that belongs to this session.
    enum Verdict: Equatable, Sendable {
        /// It is the live one: hand out its successor and retire it.
        case rotate
        /// It was retired a moment ago and its successor is still unused: two tabs, or a lost answer. The same again.
        case repeatSuccessor
        /// It was retired and comes back: somebody else has a copy. End the session.
        case reused
        case over
    }

    func verdict(rotatedAt: Timestamp?, successorIsLive: Bool, grace: Duration, at now: Timestamp) -> Verdict {
        guard endedAt == nil, now < expiresAt else { return .over }
        guard let rotatedAt else { return .rotate }
        let isRecent = now < rotatedAt.adding(seconds: grace.components.seconds)
        return isRecent && successorIsLive ? .repeatSuccessor : .reused
    }
}

/// Why there are no tokens.
enum SignInError: Error, Equatable {
    /// Unknown address, wrong password or deactivated account: one answer for all.
    case invalidCredentials
    case tooManyAttempts(wait: Int64)
    case refreshInvalid
    case refreshReused
}
