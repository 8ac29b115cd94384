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
        /// The client lost rights, its secret, or its place.
        case clientChanged = "client_changed"
        /// An authorization code came a second time: somebody else has seen it.
        case codeReused = "code_reused"
        /// A client gave its token back (RFC 7009).
        case givenBack = "given_back"
        /// The clinic asks for a second factor by now, and this session has not seen it.
        case factorRequired = "factor_required"
        /// The person took back what they had agreed that a client may do.
        case consentWithdrawn = "consent_withdrawn"
        /// An administrator put somebody out who may come in again.
        case endedByAdministrator = "ended_by_administrator"
        /// A member of staff did nothing for too long.
        case idle
    }

    let id: ID<SessionKind>
    let account: AccountID
    let startedAt: Timestamp
    /// The absolute end: refreshing never puts it off.
    var expiresAt: Timestamp
    let endedAt: Timestamp?
    /// When the person last proved who they are; refreshing never moves it, a step-up does.
    var authenticatedAt: Timestamp?
    var assurance = Assurance.single
    /// The client that holds it; nil for the suite's own.
    var client: Held?

    /// What a client was given.
    struct Held: Equatable, Sendable {
        let client: ClientID
        let scopes: Set<Scope>
        let services: Set<String>
        /// The browser it was begun in.
        let browser: BrowserSessionID?
    }

    /// What to do with a refresh token that belongs to this session.
    enum Verdict: Equatable, Sendable {
        /// It is the live one: hand out its successor and retire it.
        case rotate
        /// It was retired a moment ago and its successor is still unused: two tabs, or a lost answer. The same again.
        case repeatSuccessor
        /// It was retired and comes back: somebody else has a copy. End the session.
        case reused
        /// It is the live one and nobody has used it for longer than `idleLimit`, in seconds. End the session.
        case idle
        case over
    }

    func verdict(
        _ token: StoredToken, successorIsLive: Bool, grace: Duration, idleLimit: Int64?, at now: Timestamp
    ) -> Verdict {
        guard endedAt == nil, now < expiresAt else { return .over }
        guard let rotatedAt = token.rotatedAt else {
            guard let idleLimit, now >= token.issuedAt.adding(seconds: idleLimit) else { return .rotate }
            return .idle
        }
        let isRecent = now < rotatedAt.adding(seconds: grace.components.seconds)
        return isRecent && successorIsLive ? .repeatSuccessor : .reused
    }
}

extension Session {
    /// As long as a member of staff needs to find the phone.
    static let enrollingLife: Int64 = 900

    static func begin(
        _ credential: Credential, _ assurance: Assurance, _ settings: TenantSettings, at now: Timestamp
    ) -> Session {
        let seconds = assurance == .enrolling ? enrollingLife : settings.sessionLife(of: credential)
        return Session(
            id: ID(), account: credential.account, startedAt: now, expiresAt: now.adding(seconds: seconds), endedAt: nil,
            authenticatedAt: now, assurance: assurance)
    }
}

/// Why there are no tokens.
enum SignInError: Error, Equatable {
    /// Unknown address, wrong password or deactivated account: one answer for all.
    case invalidCredentials
    case tooManyAttempts(wait: Int64)
    /// The password is right and the account has a second factor.
    case otpRequired
    case otpWrong
    /// The password is right, an administrator gave it, and its owner must choose another.
    case passwordChangeRequired
    case refreshInvalid
    case refreshReused
}
