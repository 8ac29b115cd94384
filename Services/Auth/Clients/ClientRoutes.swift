import Access
import Bootstrap
import Contracts
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// Clients over HTTP, for administrators.
@LoopActor struct ClientRoutes {
    let host: Host
    let secrets: ClientSecrets
    let subjects: Subjects
    let settings: SettingsReader

    var table: [Route] {
        [
            .get("/v1/auth/clients", for: .manageClients, Self.listDocs, list),
            .post("/v1/auth/clients", for: .manageClients, Self.createDocs, create).afterStepUp(),
            .get("/v1/auth/clients/:id", for: .manageClients, Self.showDocs, show),
            .patch("/v1/auth/clients/:id", for: .manageClients, Self.changeDocs, change).afterStepUp(),
            .delete("/v1/auth/clients/:id", for: .manageClients, Self.removeDocs, remove).afterStepUp(),
        ]
    }

    private func list(_ request: Request, by caller: Principal) async throws -> Response {
        let limit: Int = try request.query.optional("limit") ?? 50
        let found = try await ClientStore(sql: host.db.reader(for: caller.tenant)).page(
            after: try IDCursor.read(try request.query.optional("cursor")), limit: limit + 1)
        let next = found.count > limit ? found.prefix(limit).last.map { Cursor.encode([$0.id.description]) } : nil
        return .page(found.prefix(limit).map { ClientView(client: $0) }, next: next, of: request)
    }

    private func show(_ request: Request, by caller: Principal) async throws -> Response {
        let store = ClientStore(sql: host.db.reader(for: caller.tenant))
        guard let client = try await store.find(try request.id("id")) else { throw Problem.notFound("client") }
        return .json(200, ClientView(client: client), version: client.version)
    }

    private func create(_ request: Request, by caller: Principal) async throws -> Response {
        let reader = host.db.reader(for: caller.tenant)
        let tenantSettings = try await settings(of: caller.tenant, reader)
        let made = try request.body.optional("public") ?? false ? nil : secrets.make()
        let id = ClientID()
        let isPairwise = try request.body.optional("pairwiseSubjects") ?? false
        let client = Client(
            id: id, name: try request.body.required("name"), secretHash: made?.hash,
            redirectURIs: try request.body.optional("redirectUris") ?? [],
            postLogoutURIs: try request.body.optional("postLogoutRedirectUris") ?? [],
            grantTypes: Self.grants(try request.body.required("grantTypes")),
            scopes: Self.scopes(try request.body.optional("scopes") ?? []),
            roles: Set(try request.body.optional("roles", as: [Role].self) ?? []),
            location: try request.body.optional("locationId") ?? caller.location,
            asksConsent: try request.body.optional("consentRequired") ?? tenantSettings.consentRequired,
            isPairwise: isPairwise,
            subjectKey: isPairwise ? try await subjects.fresh(for: id, in: caller.tenant, reader) : nil,
            isActive: true, version: 1,
            createdAt: host.now())
        try client.check(under: tenantSettings)
        return try await host.write(request, by: caller) { tx in
            guard try await LocationStore(sql: tx).find(client.location) != nil else { throw ClientError.locationUnknown }
            try await ClientStore(sql: tx).insert(client)
            try tx.audit("create", "client", client.id.description, after: client.audited)
            let view = ClientView(client: client, secret: made?.secret)
            return .created(view, version: 1, at: "/v1/auth/clients/\(client.id)")
        }
    }

    private func change(_ request: Request, by caller: Principal) async throws -> Response {
        let renewed = try request.body.optional("newSecret") ?? false ? secrets.make() : nil
        let change = Client.Change(
            name: try request.body.optional("name"), redirectURIs: try request.body.optional("redirectUris"),
            postLogoutURIs: try request.body.optional("postLogoutRedirectUris"),
            grantTypes: try request.body.optional("grantTypes").map(Self.grants),
            scopes: try request.body.optional("scopes").map(Self.scopes),
            roles: try request.body.optional("roles", as: [Role].self).map { Set($0) },
            asksConsent: try request.body.optional("consentRequired"), secretHash: renewed?.hash,
            isActive: try request.body.optional("active"))
        return try await apply(change, to: request, expecting: try request.ifMatch(), secret: renewed?.secret, by: caller)
    }

    /// Inactivates it: its row stays, because sessions and the audit trail name it.
    private func remove(_ request: Request, by caller: Principal) async throws -> Response {
        var response = try await apply(
            Client.Change(isActive: false), to: request, expecting: nil, secret: nil, by: caller)
        if response.status == 200 { response = .noContent }
        return response
    }

    /// Whoever may do less than before is out at once: what it holds is ended, and it asks again.
    private func apply(
        _ change: Client.Change, to request: Request, expecting version: Int?, secret: String?, by caller: Principal
    ) async throws -> Response {
        let id = try request.id("id", of: Client.self)
        return try await host.write(request, by: caller) { tx in
            let store = ClientStore(sql: tx)
            guard var client = try await store.find(id) else { throw Problem.notFound("client") }
            guard version == nil || client.version == version else { throw Problem.staleVersion }
            let before = client
            try client.apply(change, under: try await settings(of: caller.tenant, tx))
            guard try await store.update(client) else { throw Problem.staleVersion }
            let lost = !before.scopes.isSubset(of: client.scopes) || !before.roles.isSubset(of: client.roles)
            if lost || (before.isActive && !client.isActive) || secret != nil {
                try await end(client, in: caller.tenant, tx)
            }
            try tx.audit("update", "client", id.description, before: before.audited, after: client.audited)
            return .json(200, ClientView(client: client, secret: secret), version: client.version + 1)
        }
    }

    private func end(_ client: Client, in tenant: TenantID, _ tx: Transaction) async throws {
        let ending = EndSession(host: host)
        for session in try await ClientStore(sql: tx).openSessions(of: client.id) {
            _ = try await ending(session, of: tenant, because: .clientChanged, tx)
        }
        // Tokens in its own name carry its identifier as their session.
        try ending.void(client.ownSession, of: tenant, because: .clientChanged, revision: 0, tx)
    }

    private static func grants(_ names: [String]) -> Set<Client.GrantType> {
        Set(names.compactMap { Client.GrantType(rawValue: $0) })
    }

    private static func scopes(_ names: [String]) -> Set<Scope> { Set(names.compactMap { Scope(rawValue: $0) }) }
}

extension Client {
    /// The session of the tokens it gets in its own name.
    var ownSession: SessionID { SessionID(high: id.high, low: id.low) }
}

extension ClientRoutes {
    private static let problems = [
        "grant_not_allowed", "origin_not_allowed", "scope_beyond_roles", "public_client", "location_unknown",
    ]

    private static let listDocs = Route.Docs(
        "List the applications that may ask for tokens",
        query: [.optional("limit", .integer(1...100)), .optional("cursor", .text(max: 500))],
        answers: [
            (200, .object([.required("items", .list(of: ClientView.schema, max: 100)), .optional("nextCursor", .text(max: 500))]))
        ])
    private static let showDocs = Route.Docs("Show an application", answers: [(200, ClientView.schema)])
    private static let createDocs = Route.Docs(
        "Register an application", body: ClientView.creation, answers: [(201, ClientView.schema)], problems: problems)
    private static let changeDocs = Route.Docs(
        "Change an application; what it may no longer do ends at once", body: ClientView.change,
        answers: [(200, ClientView.schema)], problems: problems + ["stale_version"], isMergePatch: true)
    private static let removeDocs = Route.Docs(
        "Inactivate an application and end all its sessions", answers: [(204, nil)])
}
