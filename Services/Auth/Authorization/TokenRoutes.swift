import Access
import Bootstrap
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// What clients ask for themselves, without a browser: tokens, what a token is worth, and giving one back.
@LoopActor struct TokenRoutes {
    let host: Host
    let authenticate: ClientAuthentication
    let tokens: ClientTokens
    let refreshing: RefreshSession
    let settings: SettingsReader

    var table: [Route] {
        [
            .anyone("POST", "/oauth2/token", Self.tokenDocs, token),
            .anyone("POST", "/oauth2/introspect", Self.introspectDocs, introspect),
            .anyone("POST", "/oauth2/revoke", Self.revokeDocs, revoke),
        ]
    }

    /// Every refusal of these routes is OAuth's own JSON.
    private func answering(
        _ request: Request, _ body: @LoopActor (Form, ClientAuthentication.Known) async throws -> Response
    ) async throws -> Response {
        do {
            guard let form = Form(request.bytes) else { throw OAuthError(.invalidRequest, "The form does not read.") }
            return try await body(form, try await authenticate(request, form))
        } catch let error as OAuthError {
            return error.response
        }
    }

    // MARK: tokens

    private func token(_ request: Request) async throws -> Response {
        try await answering(request) { form, known in
            let name = try form.needed("grant_type")
            guard let type = Client.GrantType(rawValue: name) else {
                throw OAuthError(.unsupportedGrantType, "authorization_code, refresh_token or client_credentials.")
            }
            guard known.client.grantTypes.contains(type) else {
                throw OAuthError(.unauthorizedClient, "This client is not registered for that.")
            }
            let answer =
                switch type {
                case .authorizationCode: try await redeem(form, known, request)
                case .refreshToken: try await refresh(form, known, request)
                case .clientCredentials: try await own(form, known, request)
                }
            var response = Response.json(200, answer)
            response.headers.append(("Cache-Control", "no-store"))
            return response
        }
    }

    private func redeem(_ form: Form, _ known: ClientAuthentication.Known, _ request: Request) async throws -> TokenAnswer {
        let hash = Browser.hash(try form.needed("code"))
        let verifier = try form.needed("code_verifier")
        let redirect = try form.one("redirect_uri")
        let narrower = form.values("resource")
        let cause = Cause(tenant: known.tenant, actor: nil, role: "service", traceparent: request.traceparent)
        // What a reused code gave must end although the answer is a refusal, so that is a result, not an error.
        let result: Result<TokenAnswer, OAuthError> = try await host.transaction(for: known.tenant, as: cause) { tx in
            let now = host.now()
            guard let code = try await CodeStore(sql: tx).findForUpdate(hash) else { return .failure(Self.badCode) }
            switch code.verdict(client: known.client.id, redirectURI: redirect, verifier: verifier, at: now) {
            case .refused: return .failure(Self.badCode)
            case .reused:
                _ = try await EndSession(host: host)(code.session, of: known.tenant, because: .codeReused, tx)
                return .failure(Self.badCode)
            case .good: break
            }
            guard let who = try await CodeStore(sql: tx).browserSession(code.browserSession),
                let credential = try await CredentialStore(sql: tx).readHolding(code.account), credential.isActive
            else { return .failure(Self.badCode) }
            try await CodeStore(sql: tx).redeem(hash, at: now)

            let life = try await settings(of: known.tenant, tx).sessionLife(of: credential)
            let session = Session(
                id: code.session, account: code.account, startedAt: now, expiresAt: now.adding(seconds: life),
                endedAt: nil, authenticatedAt: who.shownAt, assurance: Assurance(shown: who.shown),
                client: Session.Held(
                    client: known.client.id, scopes: code.scopes, services: code.services, browser: code.browserSession))
            try await SessionStore(sql: tx).insert(session)
            let grant = try Self.narrowed(code.scopes, code.services, to: narrower, known.client)
            var answer = try await tokens.access(credential, session, grant, in: known.tenant, tx, at: now)
            if known.client.grantTypes.contains(.refreshToken) {
                let refresh = RefreshToken(tenant: known.tenant, session: session.id)
                try await SessionStore(sql: tx).insert(refresh, at: now)
                answer.refreshToken = refresh.text
            }
            if code.scopes.contains(.openid) {
                answer.idToken = try await tokens.idToken(
                    known.client, who, nonce: code.nonce, accessToken: answer.accessToken, in: known.tenant, tx, at: now)
            }
            try tx.audit("give_tokens", "session", session.id.description, after: Self.audited(known.client, grant))
            return .success(answer)
        }
        return try result.get()
    }

    private func refresh(_ form: Form, _ known: ClientAuthentication.Known, _ request: Request) async throws -> TokenAnswer {
        guard let token = RefreshToken(try form.needed("refresh_token")), token.tenant == known.tenant else {
            throw Self.badRefresh
        }
        let wish = try form.one("scope").map { Scope.list($0) }
        let narrower = form.values("resource")
        do {
            return try await refreshing(token, for: known.client.id, request) { fresh, tx in
                guard let held = fresh.session.client else { throw Self.badRefresh }
                // What the client lost since, it does not get back; what it asks for can only be less.
                let scopes = held.scopes.intersection(known.client.scopes)
                guard wish?.isSubset(of: scopes) ?? true else {
                    throw OAuthError(.invalidScope, "More than was agreed to.")
                }
                let grant = try Self.narrowed(wish ?? scopes, held.services, to: narrower, known.client)
                var answer = try await tokens.access(
                    fresh.credential, fresh.session, grant, in: known.tenant, tx, at: host.now())
                answer.refreshToken = fresh.token.text
                return answer
            }
        } catch is SignInError {
            throw Self.badRefresh
        }
    }

    /// Client credentials (RFC 6749 4.4): the client in its own name, with its own roles.
    private func own(_ form: Form, _ known: ClientAuthentication.Known, _ request: Request) async throws -> TokenAnswer {
        let client = known.client
        guard !client.isPublic else { throw OAuthError(.unauthorizedClient, "A public client has no name of its own.") }
        let scopes = client.granted(try form.one("scope")).subtracting([.openid, .profile, .email, .offlineAccess])
        guard !scopes.isEmpty else { throw OAuthError(.invalidScope, "No known scope that this client is registered for.") }
        let services = try AuthorizationRequest.services(form.values("resource"), for: scopes)
        let grant = try Self.narrowed(scopes, services, to: [], client)
        let cause = Cause(
            tenant: known.tenant, actor: AccountID(high: client.id.high, low: client.id.low), role: "service",
            traceparent: request.traceparent)
        return try await host.transaction(for: known.tenant, as: cause) { tx in
            guard let site = try await LocationStore(sql: tx).find(client.location) else { throw ClientError.locationUnknown }
            try tx.audit("give_tokens", "client", client.id.description, after: Self.audited(client, grant))
            return try await tokens.access(client, site, grant, in: known.tenant, tx)
        }
    }

    /// The scopes of the services that remain (RFC 8707 2.2). Those about the person alone stay with any of them.
    private static func narrowed(
        _ scopes: Set<Scope>, _ services: Set<String>, to resources: [String], _ client: Client
    ) throws(OAuthError) -> Grant {
        var wanted = services
        if !resources.isEmpty {
            wanted = try AuthorizationRequest.services(resources, for: scopes)
            guard wanted.isSubset(of: services) else { throw OAuthError(.invalidTarget, "More than was agreed to.") }
        }
        let kept = scopes.filter { $0.permissions.isEmpty || $0.service.map { wanted.contains($0) } ?? true }
        let meant = wanted.intersection(kept.compactMap(\.service))
        guard !meant.isEmpty else { throw OAuthError(.invalidScope, "These scopes are for none of these services.") }
        return Grant(client: client.id.description, scopes: kept, services: meant, isOwn: !client.asksConsent)
    }

    private static func audited(_ client: Client, _ grant: Grant) -> JSONObject {
        JSONObject([
            ("client", .string(client.id.description)), ("scope", .string(Scope.text(grant.scopes))),
            ("services", .array(grant.services.sorted().map { .string($0) })),
        ])
    }

    private static let badCode = OAuthError(.invalidGrant, "The code is not valid for this client and verifier.")
    private static let badRefresh = OAuthError(.invalidGrant, "The refresh token is not valid for this client.")

    // MARK: worth and return

    /// RFC 7662. A client learns about its own tokens and about those that its clinic's people brought it; a token
    /// of another clinic is just not active.
    private func introspect(_ request: Request) async throws -> Response {
        try await answering(request) { form, known in
            guard !known.client.isPublic else { throw OAuthError(.invalidClient, "Only confidential clients may ask.") }
            let text = try form.needed("token")
            let now = host.now()
            var found = JSONObject([("active", .bool(false))])
            if let token = try? host.verifier.verify(text, at: now), token.tenant == known.tenant,
                token.grant?.client == known.client.id.description || known.client.roles.contains(.service),
                !host.verifier.isRevoked(token)
            {
                found = Self.described(token, issuer: token.grant == nil ? TokenVerifier.issuer : host.config.publicURL)
            } else if let token = RefreshToken(text), token.tenant == known.tenant {
                let store = SessionStore(sql: host.db.reader(for: known.tenant))
                if let session = try await store.find(token.session), session.client?.client == known.client.id,
                    session.endedAt == nil, now < session.expiresAt, let stored = try await store.find(token),
                    stored.rotatedAt == nil
                {
                    found = JSONObject([
                        ("active", .bool(true)), ("client_id", .string(known.client.id.description)),
                        ("scope", .string(Scope.text(session.client?.scopes ?? []))),
                        ("exp", .int(session.expiresAt.microseconds / 1_000_000)),
                    ])
                }
            }
            var response = Response.json(200, JSONValue.object(found))
            response.headers.append(("Cache-Control", "no-store"))
            return response
        }
    }

    private static func described(_ token: AccessToken, issuer: String) -> JSONObject {
        let audience = token.grant.map { $0.services.sorted().map(Grant.resource) } ?? [TokenVerifier.audience]
        var found = JSONObject([
            ("active", .bool(true)), ("token_type", .string("Bearer")), ("iss", .string(issuer)),
            ("sub", .string(token.account.description)), ("aud", .array(audience.map { .string($0) })),
            ("exp", .int(token.expiresAt.microseconds / 1_000_000)), ("iat", .int(token.issuedAt.microseconds / 1_000_000)),
            ("sid", .string(token.session.description)),
        ])
        if let grant = token.grant {
            found["client_id"] = .string(grant.client)
            found["scope"] = .string(Scope.text(grant.scopes))
        }
        return found
    }

    /// RFC 7009: the token's whole session ends, whichever of its tokens is brought. An unknown token is no error.
    private func revoke(_ request: Request) async throws -> Response {
        try await answering(request) { form, known in
            let text = try form.needed("token")
            let cause = Cause(tenant: known.tenant, actor: nil, role: "service", traceparent: request.traceparent)
            try await host.transaction(for: known.tenant, as: cause) { tx in
                let ending = EndSession(host: host)
                if let token = RefreshToken(text), token.tenant == known.tenant {
                    let store = SessionStore(sql: tx)
                    guard try await store.find(token) != nil,
                        try await store.find(token.session)?.client?.client == known.client.id
                    else { return }
                    _ = try await ending(token.session, of: known.tenant, because: .givenBack, tx)
                } else if let token = try? host.verifier.verify(text, at: host.now()), token.tenant == known.tenant,
                    token.grant?.client == known.client.id.description
                {
                    if token.session == known.client.ownSession {
                        try ending.void(token.session, of: known.tenant, because: .givenBack, revision: 0, tx)
                        try tx.audit("end", "session", token.session.description)
                    } else {
                        _ = try await ending(token.session, of: known.tenant, because: .givenBack, tx)
                    }
                }
            }
            return Response(200, headers: [("Cache-Control", "no-store")])
        }
    }
}

extension TokenRoutes {
    private static let credentials: [Schema.Field] = [
        .optional("client_id", .id), .optional("client_secret", .text(max: 64), "Or both by HTTP Basic"),
    ]
    private static let tokenDocs = Route.Docs(
        "Exchange a code, a refresh token or a client's own credentials for tokens (RFC 6749)",
        body: .object(
            credentials + [
                .required("grant_type", .choice(Client.GrantType.allCases.map(\.rawValue))),
                .optional("code", .text(max: 64)), .optional("redirect_uri", .text(max: 500)),
                .optional("code_verifier", .text(min: 43, max: 128)), .optional("refresh_token", .text(max: 200)),
                .optional("scope", .text(max: 1000)), .optional("resource", .text(max: 200)),
            ]),
        answers: [(200, .any)], isForm: true)
    private static let introspectDocs = Route.Docs(
        "Say what a token is worth (RFC 7662)", body: .object(credentials + [.required("token", .text(max: 4096))]),
        answers: [(200, .any)], isForm: true)
    private static let revokeDocs = Route.Docs(
        "Give a token back: its session ends (RFC 7009)",
        body: .object(credentials + [.required("token", .text(max: 4096))]), answers: [(200, nil)], isForm: true)
}
