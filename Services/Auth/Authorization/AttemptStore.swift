import Access
import Loop
import Postgres
import Primitives

/// Every statement that touches `sign_in_attempt`, `browser_session` and `client_consent`.
@LoopActor struct AttemptStore {
    let sql: any SQLSession

    private static let columns = """
        id, client_id, browser, redirect_uri, scopes, services, state, nonce, challenge, account_id, shown, shown_at,
        asks_anew, agreed, browser_session_id, expires_at
        """

    func insert(_ attempt: Attempt) async throws {
        try await sql.run(
            """
            insert into sign_in_attempt (\(unsafe: Self.columns))
            values (\(attempt.id), \(attempt.client), \(attempt.browser), \(attempt.redirectURI),
                    \(attempt.scopes.names), \(attempt.services.sorted()), \(attempt.state), \(attempt.nonce),
                    \(attempt.challenge), \(attempt.account), \(attempt.shown.sorted()), \(attempt.shownAt),
                    \(attempt.asksAnew), \(attempt.isAgreed), \(attempt.browserSession), \(attempt.expiresAt))
            """)
    }

    /// Only for the browser it is bound to.
    func find(_ id: AttemptID, browser: Bytes, at now: Timestamp) async throws -> Attempt? {
        try await sql.first(
            """
            select \(unsafe: Self.columns) from sign_in_attempt
            where id = \(id) and browser = \(browser) and expires_at > \(now)
            """, as: Attempt.init(row:))
    }

    func findForUpdate(_ id: AttemptID, browser: Bytes, at now: Timestamp) async throws -> Attempt? {
        try await sql.first(
            """
            select \(unsafe: Self.columns) from sign_in_attempt
            where id = \(id) and browser = \(browser) and expires_at > \(now) for update
            """, as: Attempt.init(row:))
    }

    func save(_ attempt: Attempt) async throws {
        try await sql.run(
            """
            update sign_in_attempt
            set account_id = \(attempt.account), shown = \(attempt.shown.sorted()), shown_at = \(attempt.shownAt),
                agreed = \(attempt.isAgreed), browser_session_id = \(attempt.browserSession)
            where id = \(attempt.id)
            """)
    }

    func delete(_ id: AttemptID) async throws { try await sql.run("delete from sign_in_attempt where id = \(id)") }

    // MARK: browsers

    func insert(_ session: BrowserSession, hash: Bytes) async throws {
        try await sql.run(
            """
            insert into browser_session (id, hash, account_id, shown_at, shown, expires_at)
            values (\(session.id), \(hash), \(session.account), \(session.shownAt), \(session.shown.sorted()),
                    \(session.expiresAt))
            """)
    }

    /// Whose browser this is, as long as that account may sign in and nothing was changed about it since. Of staff also only
    /// until nothing was done in it for `idleLimit` seconds: neither signed in, nor a token refreshed that began in it.
    func browserSession(
        _ hash: Bytes, idleLimit: Int? = nil, at now: Timestamp
    ) async throws -> BrowserSession? {
        try await sql.first(
            """
            select b.id, b.account_id, b.shown, b.shown_at, b.expires_at
            from browser_session b join account a on a.id = b.account_id
            where b.hash = \(hash) and b.ended_at is null and b.expires_at > \(now) and a.active
              and a.valid_from <= b.shown_at
              and (\(idleLimit)::int is null or a.roles <@ array['patient']
                   or greatest(b.shown_at, (select max(t.issued_at) from session s join refresh_token t on t.session_id = s.id
                                            where s.browser_session_id = b.id))
                      > \(now)::timestamptz - make_interval(secs => \(idleLimit)::int))
            """,
            as: { row in
                BrowserSession(
                    id: try row.next(), account: try row.next(), shown: Set(try row.next(as: [String].self)),
                    shownAt: try row.next(), expiresAt: try row.next())
            })
    }

    /// Ends it and says which sessions of clients began in it.
    func end(_ id: BrowserSessionID, at now: Timestamp) async throws -> [SessionID] {
        try await sql.run("update browser_session set ended_at = \(now) where id = \(id) and ended_at is null")
        return try await sql.all(
            "select id from session where browser_session_id = \(id) and ended_at is null order by id limit 10000",
            as: { row in try row.next(as: SessionID.self) })
    }

    /// In which an account is signed in, newest first.
    func browsers(of account: AccountID, at now: Timestamp) async throws -> [BrowserSession] {
        try await sql.all(
            """
            select id, account_id, shown, shown_at, expires_at from browser_session
            where account_id = \(account) and ended_at is null and expires_at > \(now)
            order by id desc limit 100
            """,
            as: { row in
                BrowserSession(
                    id: try row.next(), account: try row.next(), shown: Set(try row.next(as: [String].self)),
                    shownAt: try row.next(), expiresAt: try row.next())
            })
    }

    /// Ends all browsers of an account, and who is on the way to a code with what was shown before: its password or
    /// its factors have changed.
    func endBrowsers(of account: AccountID, at now: Timestamp) async throws {
        try await sql.run("update browser_session set ended_at = \(now) where account_id = \(account) and ended_at is null")
        try await sql.run("delete from sign_in_attempt where account_id = \(account)")
    }

    // MARK: consent

    func agreed(_ account: AccountID, _ client: ClientID) async throws -> Set<Scope> {
        try await sql.first(
            "select scopes from client_consent where account_id = \(account) and client_id = \(client)",
            as: { row in Set(try row.next(as: [String].self).compactMap { Scope(rawValue: $0) }) }) ?? []
    }

    func agree(_ account: AccountID, _ client: ClientID, to scopes: Set<Scope>, at now: Timestamp) async throws {
        try await sql.run(
            """
            insert into client_consent (account_id, client_id, scopes, agreed_at)
            values (\(account), \(client), \(scopes.names), \(now))
            on conflict (account_id, client_id) do update
            set scopes = (select array_agg(distinct word) from unnest(client_consent.scopes || excluded.scopes) word),
                agreed_at = excluded.agreed_at
            """)
    }

    /// What an account agreed to, and has not taken back; latest first.
    func consents(of account: AccountID) async throws -> [Consent] {
        try await sql.all(
            """
            select a.client_id, c.name, a.scopes, a.agreed_at from client_consent a join client c on c.id = a.client_id
            where a.account_id = \(account) order by a.agreed_at desc, a.client_id limit 100
            """,
            as: { row in
                Consent(
                    client: try row.next(), name: try row.next(),
                    scopes: Set(try row.next(as: [String].self).compactMap { Scope(rawValue: $0) }), agreedAt: try row.next())
            })
    }

    /// Takes it back, and with it whatever is on its way to that client. False when there was no such consent.
    ///
    /// The way first, the account after it and the consent last: the order in which somebody who agrees locks them.
    func withdraw(_ account: AccountID, _ client: ClientID) async throws -> Bool {
        try await sql.run("delete from sign_in_attempt where account_id = \(account) and client_id = \(client)")
        try await CredentialStore(sql: sql).lock(account)
        try await sql.run(
            "delete from authorization_code where account_id = \(account) and client_id = \(client) and redeemed_at is null")
        return try await sql.run("delete from client_consent where account_id = \(account) and client_id = \(client)") == 1
    }

    /// Deletes what is over: in the order in which rows refer to each other.
    func sweep(before time: Timestamp) async throws {
        try await sql.run("delete from sign_in_attempt where expires_at < \(time)")
        try await sql.run("delete from authorization_code where expires_at < \(time)")
        try await sql.run("delete from browser_session where expires_at < \(time)")
    }
}

/// That a person agreed to what a client may do.
struct Consent: Sendable {
    let client: ClientID
    let name: String
    let scopes: Set<Scope>
    let agreedAt: Timestamp
}

extension Set<Scope> {
    var names: [String] { Scope.allCases.filter { contains($0) }.map(\.rawValue) }
}

extension Attempt {
    init(row: inout Row) throws {
        self.init(
            id: try row.next(), client: try row.next(), browser: try row.next(), redirectURI: try row.next(),
            scopes: Set(try row.next(as: [String].self).compactMap { Scope(rawValue: $0) }),
            services: Set(try row.next(as: [String].self)), state: try row.next(), nonce: try row.next(),
            challenge: try row.next(), account: try row.next(), shown: Set(try row.next(as: [String].self)),
            shownAt: try row.next(), asksAnew: try row.next(), isAgreed: try row.next(),
            browserSession: try row.next(), expiresAt: try row.next())
    }
}
