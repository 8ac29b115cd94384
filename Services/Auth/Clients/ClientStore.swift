import Access
import Loop
import Postgres
import Primitives

/// Every statement that touches `client` and `client_tenant`.
@LoopActor struct ClientStore {
    let sql: any SQLSession

    private static let columns = """
        id, name, secret_hash, redirect_uris, post_logout_uris, grant_types, scopes, array_to_string(roles, ','),
        location_id, asks_consent, is_pairwise, subject_key, active, version, created_at
        """

    /// Whose client this is. The session is scoped to no tenant.
    func tenant(of id: ClientID) async throws -> TenantID? {
        try await sql.first(
            "select tenant_id from client_tenant where client_id = \(id)", as: { row in try row.next(as: TenantID.self) })
    }

    func find(_ id: ClientID) async throws -> Client? {
        try await sql.first("select \(unsafe: Self.columns) from client where id = \(id)", as: Client.init(row:))
    }

    /// As far as the tenant's settings of now let it be one.
    func find(_ id: ClientID, under settings: SettingsReader, of tenant: TenantID) async throws -> Client? {
        guard let client = try await find(id) else { return nil }
        return client.bounded(by: try await settings(of: tenant, sql))
    }

    func page(after id: ClientID?, limit: Int) async throws -> [Client] {
        try await sql.all(
            """
            select \(unsafe: Self.columns) from client where \(id)::uuid is null or id > \(id) order by id limit \(limit)
            """, as: Client.init(row:))
    }

    func insert(_ client: Client) async throws {
        try await sql.run("insert into client_tenant (client_id) values (\(client.id))")
        try await sql.run(
            """
            insert into client (id, name, secret_hash, redirect_uris, post_logout_uris, grant_types, scopes, roles,
                                location_id, asks_consent, is_pairwise, subject_key, created_at)
            values (\(client.id), \(client.name), \(client.secretHash), \(client.redirectURIs),
                    \(client.postLogoutURIs), \(client.grantNames), \(client.scopeNames), \(client.roleNames),
                    \(client.location), \(client.asksConsent), \(client.isPairwise), \(client.subjectKey),
                    \(client.createdAt))
            """)
        try await OriginStore(sql: sql).keep(client.webOrigins, of: client.id)
    }

    /// False when somebody changed it since this version.
    func update(_ client: Client) async throws -> Bool {
        let changed = try await sql.run(
            """
            update client
            set name = \(client.name), secret_hash = \(client.secretHash), redirect_uris = \(client.redirectURIs),
                post_logout_uris = \(client.postLogoutURIs), grant_types = \(client.grantNames),
                scopes = \(client.scopeNames), roles = \(client.roleNames), asks_consent = \(client.asksConsent),
                active = \(client.isActive), version = version + 1
            where id = \(client.id) and version = \(client.version)
            """)
        guard changed == 1 else { return false }
        try await OriginStore(sql: sql).keep(client.webOrigins, of: client.id)
        return true
    }

    /// The same secret kept in another way: no change of the client.
    func keep(_ hash: Bytes, insteadOf old: Bytes, for id: ClientID) async throws {
        try await sql.run("update client set secret_hash = \(hash) where id = \(id) and secret_hash = \(old)")
    }

    /// Those whose people have no key of the client's own yet.
    func withoutSubjectKey() async throws -> [ClientID] {
        try await sql.all(
            "select id from client where is_pairwise and subject_key is null order by id",
            as: { row in try row.next(as: ClientID.self) })
    }

    func give(_ subjectKey: Bytes, to id: ClientID) async throws {
        try await sql.run("update client set subject_key = \(subjectKey) where id = \(id) and subject_key is null")
    }

    /// The stored secrets of those in use.
    func secretHashes() async throws -> [Bytes] {
        try await sql.all(
            "select secret_hash from client where active and secret_hash is not null",
            as: { row in try row.next(as: Bytes.self) })
    }

    /// The sessions it holds, for ending them all.
    func openSessions(of id: ClientID) async throws -> [SessionID] {
        try await sql.all(
            "select id from session where client_id = \(id) and ended_at is null order by id limit 100000",
            as: { row in try row.next(as: SessionID.self) })
    }
}

extension Client {
    init(row: inout Row) throws {
        self.init(
            id: try row.next(), name: try row.next(), secretHash: try row.next(), redirectURIs: try row.next(),
            postLogoutURIs: try row.next(), grantTypes: Set(try row.next(as: [GrantType].self)),
            scopes: Set(try row.next(as: [String].self).compactMap { Scope(rawValue: $0) }),
            roles: Auth.roles(try row.next()), location: try row.next(), asksConsent: try row.next(),
            isPairwise: try row.next(), subjectKey: try row.next(), isActive: try row.next(), version: try row.next(), createdAt: try row.next())
    }

    var grantNames: [String] { GrantType.allCases.filter { grantTypes.contains($0) }.map(\.rawValue) }
    var scopeNames: [String] { Scope.allCases.filter { scopes.contains($0) }.map(\.rawValue) }
    var roleNames: [String] { Role.allCases.filter { roles.contains($0) }.map(\.rawValue) }
}
