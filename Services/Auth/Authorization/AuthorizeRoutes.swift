import Access
import Bootstrap
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// What a person's browser meets between a client's link and the client's answer.
@LoopActor struct AuthorizeRoutes {
    let host: Host
    let flow: SignInFlow
    let signIn: SignIn
    let vaults: Vaults
    let browser: Browser

    var table: [Route] {
        [
            .anyone("GET", "/oauth2/authorize", Self.authorizeDocs, authorize),
            .anyone("POST", "/oauth2/authorize", Self.authorizeDocs, authorize),
            .anyone("GET", "/oauth2/sign-in", Self.pageDocs, show),
            .anyone("POST", "/oauth2/sign-in", Self.signInDocs, enter),
            .anyone("POST", "/oauth2/consent", Self.consentDocs, decide),
        ]
    }

    // MARK: a client's link

    /// Client and address come first: while they are not certain, a refusal is a page and nobody is sent anywhere.
    private func authorize(_ request: Request) async throws -> Response {
        guard let form = Form(request.method == "POST" ? request.bytes : [UInt8](request.queryString.utf8)),
            let (client, tenant) = try await client(form)
        else {
            return SignInPages.message("Unknown application", "The link that brought you here names no application of ours.")
                .response(400)
        }
        guard let address = try? form.one("redirect_uri"), client.sendsCodes(to: address) else {
            return SignInPages.message(
                "Unknown address", "\(client.name) asked to send you to an address that it has not registered or may not use."
            ).response(400)
        }
        let state = try? form.one("state")
        do {
            let wish = try AuthorizationRequest(form, redirectURI: address, client: client)
            return try await flow.begin(wish, client, tenant, request)
        } catch let error as OAuthError {
            return flow.refuse(error, state: state, at: address)
        }
    }

    private func client(_ form: Form) async throws -> (Client, TenantID)? {
        guard let id = (try? form.one("client_id")).flatMap({ $0 }).flatMap({ ClientID($0) }),
            let tenant = try await ClientStore(sql: host.db.systemReader).tenant(of: id),
            let client = try await ClientStore(sql: host.db.reader(for: tenant)).find(
                id, under: flow.settings, of: tenant),
            client.isActive
        else { return nil }
        return (client, tenant)
    }

    // MARK: pages

    private func show(_ request: Request) async throws -> Response {
        let form = Form(request.queryString.utf8) ?? Form()
        guard let handle = AttemptHandle(try? form.one("attempt")), let secret = browser.secret(of: request) else {
            return SignInPages.runOut.response(400)
        }
        let reader = host.db.reader(for: handle.tenant)
        guard let attempt = try await AttemptStore(sql: reader).find(handle.id, browser: Browser.hash(secret), at: host.now()),
            let client = try await ClientStore(sql: reader).find(attempt.client), client.isActive
        else { return SignInPages.runOut.response(400) }
        return try await page(attempt, client, handle, secret, reader)
    }

    private func page(
        _ attempt: Attempt, _ client: Client, _ handle: AttemptHandle, _ secret: String, _ reader: any SQLSession
    ) async throws -> Response {
        let token = browser.formToken(secret, handle.text)
        // The form's answer may be a redirect to the client at once, so the page must allow it.
        let target = RedirectURI.origin(attempt.redirectURI, isPublic: client.isPublic)
        guard let account = attempt.account, try await flow.step(attempt, client, handle.tenant, reader) == .consent else {
            var page = SignInPages.password(client, handle, token: token, flow.passkeyChoice())
            page.leadsTo = target
            return page.response()
        }
        let found = try await AccountStore(sql: reader, vault: try await vaults.vault(of: handle.tenant, reader)).find(account)
        return SignInPages.consent(
            client, attempt.scopes, name: found?.name ?? "", leadsTo: target, handle, token: token
        ).response()
    }

    private func enter(_ request: Request) async throws -> Response {
        guard let sent = Sent(request, browser) else { return SignInPages.notOurs.response(403) }
        guard let (known, client) = try await sent.attempt(host) else { return SignInPages.runOut.response(400) }
        do {
            let proof = try await signIn.prove(
                email: try sent.form.needed("email"), password: try sent.form.needed("password"),
                newPassword: try sent.form.one("newPassword"), request)
            // An account of another clinic is not known here, and looks like a wrong password.
            guard proof.tenant == sent.handle.tenant else { throw SignInError.invalidCredentials }
            return try await sent.transaction(host, request, as: proof.credential) { tx in
                let store = AttemptStore(sql: tx)
                guard var attempt = try await store.findForUpdate(sent.handle.id, browser: sent.hash, at: host.now()) else {
                    return SignInPages.runOut.response(400)
                }
                attempt.account = try await signIn.settle(proof, tx).account
                attempt.shown = ["pwd"]
                attempt.shownAt = host.now()
                attempt.browserSession = nil
                try await store.save(attempt)
                try tx.audit("sign_in", "browser", attempt.id.description)
                return try await flow.advance(attempt, client, sent.handle.tenant, tx)
            }
        } catch SignInError.passwordChangeRequired {
            return chooseOwn(nil, known, client, sent)
        } catch let problem as Problem where problem.errors.first?.pointer == "/newPassword" {
            return chooseOwn(problem.errors.first?.detail, known, client, sent)
        } catch let error as SignInError {
            return again(error, known, client, sent)
        } catch is OAuthError {
            return again(.invalidCredentials, known, client, sent)
        }
    }

    /// The password is right and an administrator gave it: its owner chooses another, here and now.
    private func chooseOwn(_ alert: String?, _ attempt: Attempt, _ client: Client, _ sent: Sent) -> Response {
        var page = SignInPages.ownPassword(
            client, sent.handle, token: browser.formToken(sent.secret, sent.handle.text),
            email: (try? sent.form.one("email")) ?? "", alert: alert)
        page.leadsTo = RedirectURI.origin(attempt.redirectURI, isPublic: client.isPublic)
        return page.response(422)
    }

    private func again(_ error: SignInError, _ attempt: Attempt, _ client: Client, _ sent: Sent) -> Response {
        let problem = error.problem
        var page = SignInPages.password(
            client, sent.handle, token: browser.formToken(sent.secret, sent.handle.text), flow.passkeyChoice(),
            alert: problem.status == 429
                ? "Too many attempts. Wait a moment and try again." : "The address or the password is not right.")
        page.leadsTo = RedirectURI.origin(attempt.redirectURI, isPublic: client.isPublic)
        return page.response(problem.status == 429 ? 429 : 422, headers: problem.headers.filter { $0.name == "Retry-After" })
    }

    private func decide(_ request: Request) async throws -> Response {
        guard let sent = Sent(request, browser) else { return SignInPages.notOurs.response(403) }
        let allows = try? sent.form.one("decision") == "allow"
        return try await sent.transaction(host, request, as: nil) { tx in
            let store = AttemptStore(sql: tx)
            guard var attempt = try await store.findForUpdate(sent.handle.id, browser: sent.hash, at: host.now()),
                let account = attempt.account, let client = try await ClientStore(sql: tx).find(attempt.client),
                client.isActive, try await flow.step(attempt, client, sent.handle.tenant, tx) == .consent
            else { return SignInPages.runOut.response(400) }
            let after = JSONObject([
                ("account", .string(account.description)), ("scope", .string(Scope.text(attempt.scopes))),
            ])
            guard allows == true else {
                try await store.delete(attempt.id)
                try tx.audit("refuse_consent", "client", client.id.description, after: after)
                return flow.refuse(
                    OAuthError(.accessDenied, "The person did not agree."), state: attempt.state, at: attempt.redirectURI)
            }
            try await store.agree(account, client.id, to: attempt.scopes, at: host.now())
            attempt.isAgreed = true
            try await store.save(attempt)
            try tx.audit("consent", "client", client.id.description, after: after)
            return try await flow.advance(attempt, client, sent.handle.tenant, tx)
        }
    }
}

/// A form that one of our pages sent.
struct Sent: Sendable {
    let form: Form
    let handle: AttemptHandle
    let secret: String
    var hash: Bytes { Browser.hash(secret) }

    /// Nil for a form from another page or another browser.
    init?(_ request: Request, _ browser: Browser) {
        guard let form = Form(request.bytes), let handle = AttemptHandle((try? form.one("attempt")).flatMap { $0 }),
            let secret = browser.secret(of: request),
            browser.isOurs(request, token: (try? form.one("token")).flatMap { $0 }, secret: secret, purpose: handle.text)
        else { return nil }
        self.form = form
        self.handle = handle
        self.secret = secret
    }

    /// The attempt that the form goes on with, and its client; nil when either has run out.
    @LoopActor func attempt(_ host: Host) async throws -> (known: Attempt, client: Client)? {
        let reader = host.db.reader(for: handle.tenant)
        guard let known = try await AttemptStore(sql: reader).find(handle.id, browser: hash, at: host.now()),
            let client = try await ClientStore(sql: reader).find(known.client), client.isActive
        else { return nil }
        return (known, client)
    }

    @LoopActor func transaction(
        _ host: Host, _ request: Request, as who: Credential?, _ body: @LoopActor (Transaction) async throws -> Response
    ) async throws -> Response {
        let cause = Cause(
            tenant: handle.tenant, actor: who?.account, role: who?.mainRole.rawValue ?? "system",
            traceparent: request.traceparent)
        return try await host.transaction(for: handle.tenant, as: cause, body)
    }
}

extension AuthorizeRoutes {
    private static let authorizeDocs = Route.Docs(
        "Ask for an authorization code (RFC 6749 4.1, OpenID Connect Core 3.1.2): code with PKCE S256 only",
        query: [
            .required("response_type", .choice(["code"])), .required("client_id", .id),
            .required("redirect_uri", .text(max: 500)), .optional("scope", .text(max: 1000)),
            .optional("state", .text(max: 2048)), .optional("nonce", .text(max: 512)),
            .required("code_challenge", .text(min: 43, max: 43)), .required("code_challenge_method", .choice(["S256"])),
            .optional("prompt", .text(max: 100)), .optional("max_age", .integer(0...31_536_000)),
            .optional("resource", .text(max: 200), "urn:polyclinic:<service>, may be repeated"),
        ],
        answers: [(303, nil)], isForm: true)

    private static let attempt: [Schema.Field] = [.required("attempt", .text(max: 80)), .required("token", .text(max: 60))]

    private static let pageDocs = Route.Docs(
        "The page that asks for what is still to be shown", query: [.required("attempt", .text(max: 80))],
        answers: [(200, nil)], isForm: true)
    private static let signInDocs = Route.Docs(
        "The sign-in page's form",
        body: .object(attempt + [.required("email", .text(max: 254)), .required("password", .text(max: 128))]),
        answers: [(303, nil)], isForm: true)
    private static let consentDocs = Route.Docs(
        "The consent page's form", body: .object(attempt + [.required("decision", .choice(["allow", "deny"]))]),
        answers: [(303, nil)], isForm: true)
}
