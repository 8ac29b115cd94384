import Access
import Postgres
import Primitives

enum AttemptKind {}
typealias AttemptID = ID<AttemptKind>

/// Somebody on the way to a code: what was asked for and what they have shown so far. What is still to be shown
/// follows from it, one page at a time.
///
/// Every rule about the order of pages is in this file. It performs no I/O and reads no clock.
struct Attempt: Equatable, Sendable {
    /// The next page.
    enum Step: Equatable, Sendable { case password, secondFactor, enrolment, consent, done }

    let id: AttemptID
    let client: ClientID
    /// SHA-256 of the cookie that binds it to one browser.
    let browser: Bytes
    let redirectURI: String
    let scopes: Set<Scope>
    let services: Set<String>
    let state: String?
    let nonce: String?
    let challenge: String
    var account: AccountID?
    /// What was shown, in the words of RFC 8176: `pwd`, `otp`, `hwk`.
    var shown: Set<String>
    var shownAt: Timestamp?
    let asksAnew: Bool
    var isAgreed: Bool
    /// The browser's session that already answered for the person.
    var browserSession: BrowserSessionID?
    let expiresAt: Timestamp

    static let life: Int64 = 900

    /// `needsSecondFactor` and `mustEnrol` are decided for the account by whoever keeps second factors; `agreed` is what
    /// the person agreed to before, nil where the client needs no consent.
    func step(needsSecondFactor: Bool, mustEnrol: Bool, agreed: Set<Scope>?) -> Step {
        guard account != nil, !shown.isEmpty else { return .password }
        if needsSecondFactor && !hasSecondFactor { return .secondFactor }
        // A factor is added by who has just shown the password, not by who found a browser that was signed in.
        if mustEnrol && !hasSecondFactor { return browserSession == nil ? .enrolment : .password }
        guard let agreed, !isAgreed else { return .done }
        return asksAnew || !scopes.isSubset(of: agreed) ? .consent : .done
    }

    /// A password and nothing else is one factor; anything beside it, or a key of its own, is more.
    var hasSecondFactor: Bool { !shown.subtracting(["pwd"]).isEmpty }
}

extension Assurance {
    /// How sure we are (`acr`), from what was shown.
    init(shown: Set<String>) { self = shown.subtracting(["pwd"]).isEmpty ? .single : .multi }
}

enum BrowserSessionKind {}
typealias BrowserSessionID = ID<BrowserSessionKind>

/// A browser in which somebody is signed in.
struct BrowserSession: Equatable, Sendable {
    let id: BrowserSessionID
    let account: AccountID
    let shown: Set<String>
    let shownAt: Timestamp
    let expiresAt: Timestamp
}
