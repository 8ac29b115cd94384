import Access
import Bootstrap
import Cryptography
import JSON
import Loop
import Postgres
import Primitives

/// What the token endpoint answers (RFC 6749 5.1, OpenID Connect Core 3.1.3.3).
struct TokenAnswer: JSONWritable {
    let accessToken: String
    let expiresIn: Int64
    let scopes: Set<Scope>
    var refreshToken: String?
    var idToken: String?

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("access_token", accessToken)
            $0.field("token_type", "Bearer")
            $0.field("expires_in", expiresIn)
            $0.field("scope", Scope.text(scopes))
            $0.field("refresh_token", refreshToken)
            $0.field("id_token", idToken)
        }
    }
}

/// Makes the tokens of clients.
@LoopActor struct ClientTokens {
    let host: Host
    let signing: Signing
    let settings: SettingsReader
    let vaults: Vaults
    let subjects: Subjects

    /// A token on a person's behalf: their roles, bounded by the grant.
    func access(
        _ credential: Credential, _ session: Session, _ grant: Grant, in tenant: TenantID, _ sql: any SQLSession,
        at now: Timestamp
    ) async throws -> TokenAnswer {
        let life = Int64(try await settings(of: tenant, sql).accessTokenSeconds)
        let end = min(now.adding(seconds: life), session.expiresAt)
        let token = AccessToken(
            account: credential.account, tenant: tenant, roles: credential.roles, session: session.id,
            location: credential.location, zone: credential.zone, currency: credential.currency,
            patient: credential.patient, issuedAt: now, expiresAt: end,
            authenticatedAt: session.authenticatedAt ?? session.startedAt, assurance: session.assurance, grant: grant,
            actsFor: try await credential.actsFor(vaults, in: tenant, sql, at: now))
        return TokenAnswer(
            accessToken: try signing.mint.sign(token), expiresIn: end.seconds(since: now), scopes: grant.scopes)
    }

    /// A token in the client's own name: its own roles, bounded by the grant.
    func access(
        _ client: Client, _ site: Location, _ grant: Grant, in tenant: TenantID, _ sql: any SQLSession
    ) async throws -> TokenAnswer {
        let now = host.now()
        let life = Int64(try await settings(of: tenant, sql).accessTokenSeconds)
        let token = AccessToken(
            account: AccountID(high: client.id.high, low: client.id.low), tenant: tenant, roles: client.roles,
            session: client.ownSession, location: site.id, zone: site.zone, currency: site.currency, patient: nil,
            issuedAt: now, expiresAt: now.adding(seconds: life), grant: grant)
        return TokenAnswer(accessToken: try signing.mint.sign(token), expiresIn: life, scopes: grant.scopes)
    }

    /// Who signed in, when and how: for the client, and for nobody else.
    func idToken(
        _ client: Client, _ who: BrowserSession, nonce: String?, accessToken: String, in tenant: TenantID,
        _ sql: any SQLSession, at now: Timestamp
    ) async throws -> String {
        let subject = try await subjects.name(of: who.account, for: client, in: tenant, sql)
        var json = JSONWriter()
        json.object {
            $0.field("iss", host.config.publicURL)
            $0.field("sub", subject)
            $0.field("aud", client.id)
            $0.field("iat", now.microseconds / 1_000_000)
            $0.field("exp", now.microseconds / 1_000_000 + 300)
            $0.field("auth_time", who.shownAt.microseconds / 1_000_000)
            $0.field("nonce", nonce)
            $0.field("acr", Assurance(shown: who.shown))
            $0.field("amr", who.shown.sorted())
            $0.field("at_hash", Base64URL.encode([UInt8](SHA256.digest([UInt8](accessToken.utf8)).prefix(16))))
            $0.field("sid", who.id)
        }
        return try signing.mint.sign(idToken: json.bytes)
    }
}

/// What a client knows a person by (OpenID Connect Core 8): the account's identifier, or one of its own, so that two
/// clients cannot find out that they serve the same person.
///
/// A client's own key makes them, which rests sealed beside it and never changes: what a client knows somebody by must
/// not. A client of before there were such keys has that of the oldest index key until `rotate-index-key` writes it down.
@LoopActor struct Subjects {
    let vaults: Vaults
    let keys: RotatingKeys

    func name(
        of account: AccountID, for client: Client, in tenant: TenantID, _ sql: any SQLSession
    ) async throws -> String {
        guard client.isPairwise else { return account.description }
        let key = try await key(of: client, in: tenant, sql)
        return Base64URL.encode(SHA256.authenticate([UInt8]("\(client.id)|\(account)".utf8), key: key.bytes))
    }

    /// For a client that is being registered.
    func fresh(for client: ClientID, in tenant: TenantID, _ sql: any SQLSession) async throws -> Bytes {
        try await sealed(SymmetricKey(), for: client, in: tenant, sql)
    }

    /// What a client without a key of its own has used so far, for writing down.
    func former(for client: ClientID, in tenant: TenantID, _ sql: any SQLSession) async throws -> Bytes {
        try await sealed(former, for: client, in: tenant, sql)
    }

    private var former: SymmetricKey {
        let chain = keys.keys(for: "pairwise subjects")
        return chain.former.last ?? chain.current
    }

    private func key(of client: Client, in tenant: TenantID, _ sql: any SQLSession) async throws -> SymmetricKey {
        guard let sealed = client.subjectKey else { return former }
        return SymmetricKey(
            bytes: try await vaults.vault(of: tenant, sql).openBytes(sealed, for: Self.column(client.id)))
    }

    private func sealed(
        _ key: SymmetricKey, for client: ClientID, in tenant: TenantID, _ sql: any SQLSession
    ) async throws -> Bytes {
        try await vaults.vault(of: tenant, sql).sealBytes(key.bytes, for: Self.column(client))
    }

    private static func column(_ client: ClientID) -> String { "client|subject_key|\(client)" }
}
