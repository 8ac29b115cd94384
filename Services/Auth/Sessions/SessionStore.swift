import Access
import Loop
import Postgres
import Primitives

/// Every statement that touches `session` and `refresh_token`.
@LoopActor struct SessionStore {
    let sql: any SQLSession

    func insert(_ session: Session) async throws {
        try await sql.run(
            """
            insert into session (id, account_id, started_at, expires_at, authenticated_at, assurance, client_id, scopes,
                                 services, browser_session_id)
            values (\(session.id), \(session.account), \(session.startedAt), \(session.expiresAt),
                    \(session.authenticatedAt ?? session.startedAt), \(session.assurance.rawValue),
                    \(session.client?.client), \(session.client?.scopes.names ?? []),
                    \(session.client?.services.sorted() ?? []), \(session.client?.browser))
            """)
    }

    func account(of id: ID<SessionKind>) async throws -> AccountID? {
        try await sql.first("select account_id from session where id = \(id)", as: { row in try row.next(as: AccountID.self) })
    }

    private static let columns = """
        id, account_id, started_at, expires_at, ended_at, coalesce(authenticated_at, started_at), assurance, client_id,
        scopes, services, browser_session_id
        """

    func find(_ id: SessionID) async throws -> Session? {
        try await sql.first("select \(unsafe: Self.columns) from session where id = \(id)", as: Session.init(row:))
    }

    func findForUpdate(_ id: SessionID) async throws -> Session? {
        try await sql.first(
            "select \(unsafe: Self.columns) from session where id = \(id) for update", as: Session.init(row:))
    }

    /// A step-up, or the end of an enrolment. False when the session is over.
    func prove(_ id: ID<SessionKind>, _ assurance: Assurance, until end: Timestamp? = nil, at now: Timestamp) async throws -> Bool {
        try await sql.run(
            """
            update session set authenticated_at = \(now), assurance = \(assurance.rawValue),
                expires_at = coalesce(\(end)::timestamptz, expires_at)
            where id = \(id) and ended_at is null and expires_at > \(now)
            """) == 1
    }

    /// What the clinic asks for by now.
    func save(_ assurance: Assurance, until end: Timestamp, of id: SessionID) async throws {
        try await sql.run("update session set assurance = \(assurance.rawValue), expires_at = \(end) where id = \(id)")
    }

    /// Nil when no such token was ever issued.
    func find(_ token: RefreshToken) async throws -> StoredToken? {
        try await sql.first(
            "select issued_at, rotated_at from refresh_token where hash = \(token.hash) and session_id = \(token.session)",
            as: { row in StoredToken(issuedAt: try row.next(), rotatedAt: try row.next()) })
    }

    /// The one of these that a session goes on with; nil when none was given out or all were used.
    func firstLive(of tokens: [RefreshToken]) async throws -> RefreshToken? {
        for token in tokens {
            if let stored = try await find(token), stored.rotatedAt == nil { return token }
        }
        return nil
    }

    func insert(_ token: RefreshToken, at now: Timestamp) async throws {
        try await sql.run(
            """
            insert into refresh_token (hash, session_id, issued_at)
            values (\(token.hash), \(token.session), \(now))
            """)
    }

    /// When the account was last given a token; nil when it has none.
    func lastIssue(to account: AccountID) async throws -> Timestamp? {
        try await sql.first(
            """
            select max(t.issued_at) from refresh_token t join session s on s.id = t.session_id
            where s.account_id = \(account)
            """, as: { row in try row.next(as: Timestamp?.self) }) ?? nil
    }

    func retire(_ token: RefreshToken, at now: Timestamp) async throws {
        try await sql.run("update refresh_token set rotated_at = \(now) where hash = \(token.hash)")
    }

    func end(_ id: ID<SessionKind>, because reason: Session.End, at now: Timestamp) async throws -> Bool {
        try await sql.run(
            """
            update session set ended_at = \(now), end_reason = \(reason.rawValue)
            where id = \(id) and ended_at is null
            """) == 1
    }

    /// What the account has open, newest first.
    func live(of account: AccountID, at now: Timestamp) async throws -> [LiveSession] {
        try await sql.all(
            """
            select s.id, s.started_at, s.expires_at, t.issued_at, s.assurance, c.name
            from session s left join client c on c.id = s.client_id
            left join refresh_token t on t.session_id = s.id and t.rotated_at is null
            where s.account_id = \(account) and s.ended_at is null and s.expires_at > \(now)
            order by s.id desc limit 100
            """,
            as: { row in
                LiveSession(
                    id: try row.next(), startedAt: try row.next(), expiresAt: try row.next(), lastUsedAt: try row.next(),
                    assurance: Assurance(rawValue: try row.next()) ?? .single, client: try row.next())
            })
    }

    /// What a client holds for an account.
    func live(of account: AccountID, at client: ClientID) async throws -> [SessionID] {
        try await sql.all(
            "select id from session where account_id = \(account) and client_id = \(client) and ended_at is null order by id",
            as: { row in try row.next(as: SessionID.self) })
    }

    /// Ends what the account has open, except `kept`; says which sessions that were.
    func endAll(
        of account: AccountID, except kept: ID<SessionKind>? = nil, because reason: Session.End, at now: Timestamp
    ) async throws -> [SessionID] {
        try await sql.all(
            """
            update session set ended_at = \(now), end_reason = \(reason.rawValue)
            where account_id = \(account) and ended_at is null and (\(kept)::uuid is null or id <> \(kept))
            returning id
            """, as: { row in try row.next(as: SessionID.self) })
    }

    /// Deletes what has been over for a while; its tokens go with it. Says how many sessions that were.
    func sweep(before time: Timestamp) async throws -> Int {
        try await sql.run(
            """
            delete from session where id in
                (select id from session where expires_at < \(time) order by expires_at limit 500 for update skip locked)
            """)
    }
}

extension Session {
    init(row: inout Row) throws {
        id = try row.next()
        account = try row.next()
        startedAt = try row.next()
        expiresAt = try row.next()
        endedAt = try row.next()
        authenticatedAt = try row.next()
        assurance = Assurance(rawValue: try row.next()) ?? .single
        let client: ClientID? = try row.next()
        let scopes = Set(try row.next(as: [String].self).compactMap { Scope(rawValue: $0) })
        let services = Set(try row.next(as: [String].self))
        let browser: BrowserSessionID? = try row.next()
        self.client = client.map { Held(client: $0, scopes: scopes, services: services, browser: browser) }
    }
}

/// A session as its owner sees it.
struct LiveSession: Sendable {
    let id: SessionID
    let startedAt: Timestamp
    let expiresAt: Timestamp
    /// When its live refresh token was issued; nil for one that has none.
    let lastUsedAt: Timestamp?
    let assurance: Assurance
    /// The application that holds it; nil for the suite's own.
    let client: String?
}

/// What is known of a refresh token that was issued.
struct StoredToken: Sendable {
    let issuedAt: Timestamp
    /// Nil while it is the live one of its session.
    let rotatedAt: Timestamp?
}
