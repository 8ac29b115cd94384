import Access
import Bootstrap
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// A passkey on the way to a client: instead of the password and the code, or instead of the code alone.
@LoopActor struct PasskeyPageRoutes {
    let host: Host
    let flow: SignInFlow
    let signIn: SignIn
    let browser: Browser

    var table: [Route] { [.anyone("POST", "/oauth2/passkey", Self.docs, enter)] }

    private func enter(_ request: Request) async throws -> Response {
        guard let sent = Sent(request, browser) else { return SignInPages.notOurs.response(403) }
        guard let (known, client) = try await sent.attempt(host) else { return SignInPages.runOut.response(400) }
        do {
            let (user, assertion) = try Self.answer(in: sent.form)
            // An account of another clinic is not known here.
            guard user.tenant == sent.handle.tenant else { throw PasskeyError.unknown }
            return try await sent.transaction(host, request, as: nil) { tx in
                let store = AttemptStore(sql: tx)
                guard var attempt = try await store.findForUpdate(sent.handle.id, browser: sent.hash, at: host.now()) else {
                    return SignInPages.runOut.response(400)
                }
                guard let credential = try await CredentialStore(sql: tx).readHolding(user.account), credential.isActive else {
                    throw PasskeyError.unknown
                }
                try await flow.passkeys.assert(assertion, of: user.account, tx)
                // It is two factors in one, whoever typed which password before.
                attempt.shown = (attempt.account == user.account ? attempt.shown : []).union(["hwk"])
                attempt.account = user.account
                attempt.shownAt = host.now()
                attempt.browserSession = nil
                try await store.save(attempt)
                try tx.audit(
                    "sign_in", "browser", attempt.id.description,
                    after: JSONObject([("account", .string(user.account.description))]))
                return try await flow.advance(attempt, client, sent.handle.tenant, tx)
            }
        } catch is PasskeyError {
            return try await again(known, client, sent, host.db.reader(for: sent.handle.tenant))
        }
    }

    /// The page that it came from, with a new challenge.
    private func again(
        _ attempt: Attempt, _ client: Client, _ sent: Sent, _ reader: any SQLSession
    ) async throws -> Response {
        let token = browser.formToken(sent.secret, sent.handle.text)
        let alert = "The passkey could not be checked. Try again, or sign in another way."
        let isCode = try await flow.step(attempt, client, sent.handle.tenant, reader) == .secondFactor
        var page = isCode
            ? SignInPages.code(client, sent.handle, token: token, flow.passkeyChoice(), alert: alert)
            : SignInPages.password(client, sent.handle, token: token, flow.passkeyChoice(), alert: alert)
        page.leadsTo = RedirectURI.origin(attempt.redirectURI, isPublic: client.isPublic)
        return page.response(422)
    }

    private static func answer(in form: Form) throws -> (UserHandle, Passkeys.Assertion) {
        var body = JSONObject()
        for name in PasskeyChoice.fields {
            guard let value = (try? form.one(name)).flatMap({ $0 }) else { throw PasskeyError.malformed }
            body[name] = .string(value)
        }
        guard let user = UserHandle(try Passkeys.bytes("userHandle", of: body)) else { throw PasskeyError.malformed }
        return (user, try Passkeys.Assertion(body))
    }

    private static let docs = Route.Docs(
        "The form that a passkey's answer is sent with",
        body: .object(
            [.required("attempt", .text(max: 80)), .required("token", .text(max: 60))]
                + Passkeys.assertionFields + [.required("userHandle", .text(max: 100))]),
        answers: [(303, nil)], isForm: true)
}
