import Access
import Bootstrap
import Cryptography
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// The pages after the password for staff whose clinic asks for a second factor and who have none: an authenticator app
/// is added, recovery codes are shown, and the way to the application goes on.
///
/// The key of the app follows from the attempt and our own key, so looking at the page changes nothing, and nobody who
/// knows the password too can have another key confirmed than the one that its owner sees.
@LoopActor struct EnrolmentRoutes {
    let host: Host
    let flow: SignInFlow
    let signIn: SignIn
    let browser: Browser
    let keys: RotatingKeys

    var table: [Route] {
        [
            .anyone("GET", "/oauth2/enrolment", Self.pageDocs, show),
            .anyone("POST", "/oauth2/enrolment", Self.formDocs, enter),
        ]
    }

    private func show(_ request: Request) async throws -> Response {
        let form = Form(request.queryString.utf8) ?? Form()
        guard let handle = AttemptHandle(try? form.one("attempt")), let secret = browser.secret(of: request) else {
            return SignInPages.runOut.response(400)
        }
        let reader = host.db.reader(for: handle.tenant)
        guard let attempt = try await AttemptStore(sql: reader).find(handle.id, browser: Browser.hash(secret), at: host.now()),
            let client = try await ClientStore(sql: reader).find(attempt.client), client.isActive,
            try await flow.step(attempt, client, handle.tenant, reader) == .enrolment
        else { return SignInPages.runOut.response(400) }
        return try await page(attempt, client, handle, secret, reader).response()
    }

    private func page(
        _ attempt: Attempt, _ client: Client, _ handle: AttemptHandle, _ secret: String, _ reader: any SQLSession,
        alert: String? = nil
    ) async throws -> Page {
        let accounts = AccountStore(sql: reader, vault: try await signIn.vaults.vault(of: handle.tenant, reader))
        var owner: Account?
        if let account = attempt.account { owner = try await accounts.find(account) }
        let totp = totps(of: attempt)[0]
        var page = SignInPages.enrolment(
            client, handle, token: browser.formToken(secret, handle.text), totp,
            uri: totp.uri(issuer: "Polyclinic", account: owner?.email ?? ""), alert: alert)
        page.leadsTo = RedirectURI.origin(attempt.redirectURI, isPublic: client.isPublic)
        return page
    }

    /// The current key's, which the page shows, and those that it may have shown before the key changed.
    private func totps(of attempt: Attempt) -> [TOTP] {
        let name = [UInt8]("\(attempt.id)|\(attempt.account.map(\.description) ?? "")".utf8)
        return keys.keys(for: "enrolment pages").all.map {
            TOTP(secret: Array(SHA256.authenticate(name, key: $0.bytes).prefix(TOTP.secretLength)))
        }
    }

    /// With a code, the app is added; without one, its owner has kept the recovery codes and goes on.
    private func enter(_ request: Request) async throws -> Response {
        guard let sent = Sent(request, browser) else { return SignInPages.notOurs.response(403) }
        guard let (known, client) = try await sent.attempt(host), let account = known.account else {
            return SignInPages.runOut.response(400)
        }
        let code = (try? sent.form.one("code")).flatMap { $0 } ?? ""
        do {
            let keys = guesses.keys(of: account, at: "enrolment", from: request.network)
            try await guesses.count(keys)
            return try await sent.transaction(host, request, as: nil) { tx in
                let store = AttemptStore(sql: tx)
                guard var attempt = try await store.findForUpdate(sent.handle.id, browser: sent.hash, at: host.now()),
                    attempt.account == account
                else { return SignInPages.runOut.response(400) }
                if try await flow.step(attempt, client, sent.handle.tenant, tx) == .enrolment {
                    guard let codes = try await enrol(&attempt, code, of: account, sent.handle.tenant, tx) else {
                        throw SignInError.otpWrong
                    }
                    try await guesses.clear(keys, tx)
                    var page = SignInPages.recoveryCodes(
                        client, sent.handle, token: browser.formToken(sent.secret, sent.handle.text), codes)
                    page.leadsTo = RedirectURI.origin(attempt.redirectURI, isPublic: client.isPublic)
                    return page.response()
                }
                try await guesses.clear(keys, tx)
                return try await flow.advance(attempt, client, sent.handle.tenant, tx)
            }
        } catch SignInError.otpWrong {
            return try await again("The code is not right. Check the device's clock and try the next.", known, client, sent).response(422)
        } catch SignInError.tooManyAttempts(let wait) {
            return try await again("Too many attempts. Wait a moment and try again.", known, client, sent)
                .response(429, headers: [("Retry-After", "\(wait)")])
        }
    }

    /// Nil for a wrong code. From here on the attempt has shown two factors.
    private func enrol(
        _ attempt: inout Attempt, _ typed: String, of account: AccountID, _ tenant: TenantID, _ tx: Transaction
    ) async throws -> [RecoveryCode]? {
        let now = host.now()
        guard let credential = try await CredentialStore(sql: tx).readHolding(account), credential.isActive else { return nil }
        let factors = try await signIn.factor.store(for: tenant, tx)
        let code = typed.filter { $0 != " " }
        guard let totp = totps(of: attempt).first(where: { $0.step(of: code, at: now) != nil }),
            let step = totp.step(of: code, at: now), try await factors.enrol(totp, for: account, at: now),
            try await factors.confirm(step, of: account, at: now)
        else { return nil }
        attempt.shown.insert("otp")
        attempt.shownAt = now
        try await AttemptStore(sql: tx).save(attempt)
        try await signIn.notices.tell(account, in: tenant, of: .factor, tx)
        try tx.audit("enrol", "factor", account.description, after: FactorRoutes.kind("totp"))
        return try await signIn.factor.freshCodes(of: account, factors)
    }

    private func again(_ alert: String, _ attempt: Attempt, _ client: Client, _ sent: Sent) async throws -> Page {
        try await page(attempt, client, sent.handle, sent.secret, host.db.reader(for: sent.handle.tenant), alert: alert)
    }

    private var guesses: GuessTally { GuessTally(host: host, config: signIn.config, emailIndex: signIn.emailIndex) }

    private static let pageDocs = Route.Docs(
        "The page that adds a second factor", query: [.required("attempt", .text(max: 80))], answers: [(200, nil)], isForm: true)
    private static let formDocs = Route.Docs(
        "The enrolment pages' forms",
        body: .object([
            .required("attempt", .text(max: 80)), .required("token", .text(max: 60)), .optional("code", .text(max: 24)),
        ]),
        answers: [(200, nil), (303, nil)], isForm: true)
}
