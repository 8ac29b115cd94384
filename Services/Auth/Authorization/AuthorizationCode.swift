import Access
import Cryptography
import Loop
import Postgres
import Primitives

/// A code on its way through a browser: good once, for one client, for less than a minute, and only for whoever
/// holds the verifier of its challenge.
struct AuthorizationCode: Equatable, Sendable {
    static let life: Int64 = 50

    let client: ClientID
    let account: AccountID
    let browserSession: BrowserSessionID
    /// The session that it begins.
    let session: SessionID
    let redirectURI: String
    let scopes: Set<Scope>
    let services: Set<String>
    let nonce: String?
    let challenge: String
    let expiresAt: Timestamp
    let redeemedAt: Timestamp?

    /// What became of a code that was brought.
    enum Verdict: Equatable, Sendable {
        case good
        /// It was redeemed before: somebody else has seen it, so what it gave ends (RFC 9700 2.1.1 and 4.5).
        case reused
        case refused
    }

    func verdict(client: ClientID, redirectURI: String?, verifier: String, at now: Timestamp) -> Verdict {
        guard self.client == client else { return .refused }
        guard redeemedAt == nil else { return .reused }
        guard now < expiresAt, redirectURI == nil || redirectURI == self.redirectURI else { return .refused }
        return Self.answers(verifier, challenge) ? .good : .refused
    }

    /// RFC 7636 4.6, S256 only.
    static func answers(_ verifier: String, _ challenge: String) -> Bool {
        guard (43...128).contains(verifier.utf8.count) else { return false }
        return constantTimeEqual(
            [UInt8](Base64URL.encode(SHA256.digest([UInt8](verifier.utf8))).utf8), [UInt8](challenge.utf8))
    }
}

/// Every statement that touches `authorization_code`.
@LoopActor struct CodeStore {
    let sql: any SQLSession

    func insert(_ code: AuthorizationCode, hash: Bytes) async throws {
        try await sql.run(
            """
            insert into authorization_code (hash, client_id, account_id, browser_session_id, session_id, redirect_uri,
                                            scopes, services, nonce, challenge, expires_at)
            values (\(hash), \(code.client), \(code.account), \(code.browserSession), \(code.session),
                    \(code.redirectURI), \(code.scopes.names), \(code.services.sorted()), \(code.nonce),
                    \(code.challenge), \(code.expiresAt))
            """)
    }

    /// Locked, so that of two who bring it at once one is the second.
    func findForUpdate(_ hash: Bytes) async throws -> AuthorizationCode? {
        try await sql.first(
            """
            select client_id, account_id, browser_session_id, session_id, redirect_uri, scopes, services, nonce,
                   challenge, expires_at, redeemed_at
            from authorization_code where hash = \(hash) for update
            """,
            as: { row in
                AuthorizationCode(
                    client: try row.next(), account: try row.next(), browserSession: try row.next(),
                    session: try row.next(), redirectURI: try row.next(),
                    scopes: Set(try row.next(as: [String].self).compactMap { Scope(rawValue: $0) }),
                    services: Set(try row.next(as: [String].self)), nonce: try row.next(), challenge: try row.next(),
                    expiresAt: try row.next(), redeemedAt: try row.next())
            })
    }

    func redeem(_ hash: Bytes, at now: Timestamp) async throws {
        try await sql.run("update authorization_code set redeemed_at = \(now) where hash = \(hash)")
    }

    /// Who signed in, when and how: what the ID token says.
    func browserSession(_ id: BrowserSessionID) async throws -> BrowserSession? {
        try await sql.first(
            """
            select id, account_id, shown, shown_at, expires_at from browser_session where id = \(id) and ended_at is null
            """,
            as: { row in
                BrowserSession(
                    id: try row.next(), account: try row.next(), shown: Set(try row.next(as: [String].self)),
                    shownAt: try row.next(), expiresAt: try row.next())
            })
    }
}
