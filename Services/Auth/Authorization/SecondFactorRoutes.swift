import Access
import Bootstrap
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// The page after the password, for accounts that have more than one: the app's code or a recovery code.
@LoopActor struct SecondFactorRoutes {
    let host: Host
    let flow: SignInFlow
    let signIn: SignIn
    let browser: Browser

    var table: [Route] {
        [
            .anyone("GET", "/oauth2/second-factor", Self.pageDocs, show),
            .anyone("POST", "/oauth2/second-factor", Self.formDocs, enter),
        ]
    }

    private func show(_ request: Request) async throws -> Response {
        let form = Form(request.queryString.utf8) ?? Form()
        guard let handle = AttemptHandle(try? form.one("attempt")), let secret = browser.secret(of: request) else {
            return SignInPages.runOut.response(400)
        }
        let reader = host.db.reader(for: handle.tenant)
        guard let attempt = try await AttemptStore(sql: reader).find(handle.id, browser: Browser.hash(secret), at: host.now()),
            attempt.account != nil, let client = try await ClientStore(sql: reader).find(attempt.client), client.isActive
        else { return SignInPages.runOut.response(400) }
        return page(attempt, client, handle, secret).response()
    }

    private func page(
        _ attempt: Attempt, _ client: Client, _ handle: AttemptHandle, _ secret: String, alert: String? = nil
    ) -> Page {
        var page = SignInPages.code(
            client, handle, token: browser.formToken(secret, handle.text), flow.passkeyChoice(), alert: alert)
        page.leadsTo = RedirectURI.origin(attempt.redirectURI, isPublic: client.isPublic)
        return page
    }

    private func enter(_ request: Request) async throws -> Response {
        guard let sent = Sent(request, browser) else { return SignInPages.notOurs.response(403) }
        guard let (known, client) = try await sent.attempt(host), let account = known.account else {
            return SignInPages.runOut.response(400)
        }
        do {
            let keys = guesses.keys(of: account, at: "second-factor", from: request.network)
            try await guesses.count(keys)
            let otp = (try? sent.form.one("code")).flatMap { $0 } ?? ""
            return try await sent.transaction(host, request, as: nil) { tx in
                let store = AttemptStore(sql: tx)
                guard var attempt = try await store.findForUpdate(sent.handle.id, browser: sent.hash, at: host.now()),
                    attempt.account == account, try await flow.step(attempt, client, sent.handle.tenant, tx) == .secondFactor
                else { return SignInPages.runOut.response(400) }
                let factors = try await signIn.factor.store(for: sent.handle.tenant, tx)
                guard try await signIn.factor.spend(otp, of: account, factors, at: host.now()) else {
                    throw SignInError.otpWrong
                }
                attempt.shown.insert("otp")
                attempt.shownAt = host.now()
                // What an earlier session of this browser showed was less: a new one says all of it.
                attempt.browserSession = nil
                try await store.save(attempt)
                try await guesses.clear(keys, tx)
                try tx.audit("second_factor", "account", account.description)
                return try await flow.advance(attempt, client, sent.handle.tenant, tx)
            }
        } catch SignInError.otpWrong {
            try await signIn.factor.noteFailure(of: account, in: sent.handle.tenant)
            let cause = Cause(
                tenant: sent.handle.tenant, actor: account, role: "system", traceparent: request.traceparent)
            try await Audit.denied("second_factor", "account", account.description, cause: cause, in: host.db)
            return page(known, client, sent.handle, sent.secret, alert: "The code is not right, or was used before.")
                .response(422)
        } catch SignInError.tooManyAttempts(let wait) {
            return page(known, client, sent.handle, sent.secret, alert: "Too many attempts. Wait a moment and try again.")
                .response(429, headers: [("Retry-After", "\(wait)")])
        }
    }

    private var guesses: GuessTally { GuessTally(host: host, config: signIn.config, emailIndex: signIn.emailIndex) }

    private static let pageDocs = Route.Docs(
        "The page that asks for a second factor", query: [.required("attempt", .text(max: 80))], answers: [(200, nil)],
        isForm: true)
    private static let formDocs = Route.Docs(
        "The second factor page's form",
        body: .object([
            .required("attempt", .text(max: 80)), .required("token", .text(max: 60)), .required("code", .text(max: 24)),
        ]),
        answers: [(303, nil)], isForm: true)
}
