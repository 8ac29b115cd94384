import Access
import Bootstrap
import Cryptography
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// An attempt's name in a page: whose it is and which.
struct AttemptHandle: Equatable, Sendable {
    let tenant: TenantID
    let id: AttemptID

    init(tenant: TenantID, id: AttemptID) {
        self.tenant = tenant
        self.id = id
    }

    init?(_ text: String?) {
        guard let parts = text?.split(separator: "~"), parts.count == 2, let tenant = TenantID(String(parts[0])),
            let id = AttemptID(String(parts[1]))
        else { return nil }
        self.init(tenant: tenant, id: id)
    }

    var text: String { "\(tenant)~\(id)" }
}

/// Leads somebody from a client's request to a code, page by page. Each page shows one thing and calls `advance`.
@LoopActor struct SignInFlow {
    let host: Host
    let settings: SettingsReader
    let browser: Browser
    let factor: SecondFactor
    let devices: KnownDevice
    let passkeys: Passkeys

    /// From an accepted request to the first page, or straight to the code for somebody who is signed in already.
    func begin(
        _ wish: AuthorizationRequest, _ client: Client, _ tenant: TenantID, _ request: Request
    ) async throws -> Response {
        let now = host.now()
        let sessionHash = browser.sessionHash(of: request)
        let secret = browser.secret(of: request) ?? Browser.fresh()
        let isSilent = wish.prompts.contains("none")
        let cause = Cause(tenant: tenant, actor: nil, role: "system", traceparent: request.traceparent)
        return try await host.transaction(for: tenant, as: cause) { tx in
            let store = AttemptStore(sql: tx)
            let found: BrowserSession?
            if let sessionHash {
                let limit = try await settings(of: tenant, tx).staffIdleSeconds
                found = try await store.browserSession(sessionHash, idleLimit: limit, at: now)
            } else {
                found = nil
            }
            let known = wish.wantsSignIn(since: found?.shownAt, at: now) ? nil : found
            if known == nil && isSilent { throw OAuthError(.loginRequired, "Nobody is signed in.") }
            let attempt = Attempt(
                id: AttemptID(), client: client.id, browser: Browser.hash(secret), redirectURI: wish.redirectURI,
                scopes: wish.scopes, services: wish.services, state: wish.state, nonce: wish.nonce,
                challenge: wish.challenge, account: known?.account, shown: known?.shown ?? [], shownAt: known?.shownAt,
                asksAnew: wish.prompts.contains("consent"), isAgreed: false, browserSession: known?.id,
                expiresAt: now.adding(seconds: Attempt.life))
            try await store.insert(attempt)
            if isSilent, try await step(attempt, client, tenant, tx) != .done {
                throw OAuthError(.consentRequired, "The person has to be asked.")
            }
            var response = try await advance(attempt, client, tenant, tx)
            response.headers.append(Browser.bind(secret))
            return response
        }
    }

    /// A fresh challenge for a page.
    func passkeyChoice() -> PasskeyChoice {
        PasskeyChoice(challenge: passkeys.challenges.make(for: .signIn, at: host.now()), party: passkeys.party.id)
    }

    func step(
        _ attempt: Attempt, _ client: Client, _ tenant: TenantID, _ sql: any SQLSession
    ) async throws -> Attempt.Step {
        guard let account = attempt.account else { return .password }
        let asks = client.bounded(by: try await settings(of: tenant, sql)).asksConsent
        let agreed = asks ? try await AttemptStore(sql: sql).agreed(account, client.id) : nil
        let standing = try await factor.standing(of: account, in: tenant, sql)
        let hasAny = standing.hasSecondFactor || attempt.hasSecondFactor
        let mustEnrol = hasAny ? false : try await asksForFactor(of: account, sql)
        return attempt.step(needsSecondFactor: standing.hasSecondFactor, mustEnrol: mustEnrol, agreed: agreed)
    }

    private func asksForFactor(of account: AccountID, _ sql: any SQLSession) async throws -> Bool {
        guard let credential = try await CredentialStore(sql: sql).read(account) else { return false }
        return try await factor.policy.asks(credential.roles, sql)
    }

    /// The next page, or the code once nothing is left to show. The attempt has been saved.
    func advance(_ attempt: Attempt, _ client: Client, _ tenant: TenantID, _ tx: Transaction) async throws -> Response {
        let handle = AttemptHandle(tenant: tenant, id: attempt.id)
        switch try await step(attempt, client, tenant, tx) {
        case .password, .consent: return Self.see("/oauth2/sign-in?attempt=\(handle.text)")
        case .secondFactor: return Self.see("/oauth2/second-factor?attempt=\(handle.text)")
        case .enrolment: return Self.see("/oauth2/enrolment?attempt=\(handle.text)")
        case .done: return try await finish(attempt, client, tenant, tx)
        }
    }

    private func finish(
        _ attempt: Attempt, _ client: Client, _ tenant: TenantID, _ tx: Transaction
    ) async throws -> Response {
        let now = host.now()
        let store = AttemptStore(sql: tx)
        guard let account = attempt.account, let shownAt = attempt.shownAt,
            let credential = try await CredentialStore(sql: tx).readHolding(account), credential.isActive
        else { throw OAuthError(.loginRequired, "The account may not sign in any more.") }
        var cookies: [(name: String, value: String)] = []
        let session: BrowserSessionID
        if let known = attempt.browserSession {
            session = known
        } else {
            let secret = Browser.fresh()
            let life = try await settings(of: tenant, tx).sessionLife(of: credential)
            let fresh = BrowserSession(
                id: BrowserSessionID(), account: account, shown: attempt.shown, shownAt: shownAt,
                expiresAt: now.adding(seconds: life))
            try await store.insert(fresh, hash: Browser.hash(secret))
            cookies.append(Browser.signIn(secret, seconds: life))
            // From now on others' guesses do not keep this browser out.
            let accounts = AccountStore(sql: tx, vault: try await factor.vaults.vault(of: tenant, tx))
            if let owner = try await accounts.find(account) { cookies.append(devices.header(for: owner.email)) }
            session = fresh.id
        }
        let code = Browser.fresh()
        try await CodeStore(sql: tx).insert(
            AuthorizationCode(
                client: client.id, account: account, browserSession: session, session: SessionID(),
                redirectURI: attempt.redirectURI, scopes: attempt.scopes, services: attempt.services,
                nonce: attempt.nonce, challenge: attempt.challenge,
                expiresAt: now.adding(seconds: AuthorizationCode.life), redeemedAt: nil),
            hash: Browser.hash(code))
        try await store.delete(attempt.id)
        try tx.audit(
            "authorize", "client", client.id.description,
            after: JSONObject([
                ("account", .string(account.description)), ("scope", .string(Scope.text(attempt.scopes))),
            ]))
        var response = Self.see(
            RedirectURI.adding(
                [("code", code), ("state", attempt.state), ("iss", host.config.publicURL)], to: attempt.redirectURI))
        response.headers += cookies
        return response
    }

    /// Back to the client with a refusal (RFC 6749 4.1.2.1, RFC 9207).
    func refuse(_ error: OAuthError, state: String?, at address: String) -> Response {
        Self.see(
            RedirectURI.adding(
                [
                    ("error", error.code.rawValue), ("error_description", error.description), ("state", state),
                    ("iss", host.config.publicURL),
                ], to: address))
    }

    /// 303: whatever was sent is not sent again.
    static func see(_ address: String) -> Response {
        Response(303, headers: [("Location", address), ("Cache-Control", "no-store"), ("Referrer-Policy", "same-origin")])
    }
}
