import Access
import Bootstrap
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// Signing out of a browser (OpenID Connect RP-Initiated Logout 1.0): it ends every session that clients began in it.
///
/// A client that brings an ID token of this very browser is believed; anybody else's link asks the person first, so
/// that no page can sign people out behind their backs.
@LoopActor struct LogoutRoutes {
    let host: Host
    let browser: Browser
    let settings: SettingsReader

    var table: [Route] {
        [
            .anyone("GET", "/oauth2/logout", Self.docs, leave),
            .anyone("POST", "/oauth2/logout", Self.docs, leave),
        ]
    }

    /// Where to go afterwards: only where the client said before that it may be.
    private struct Destination {
        let tenant: TenantID
        let client: Client
        let address: String?
    }

    private func leave(_ request: Request) async throws -> Response {
        guard let form = Form(request.method == "POST" ? request.bytes : [UInt8](request.queryString.utf8)) else {
            return SignInPages.notOurs.response(400)
        }
        let hint = (try? form.one("id_token_hint")).flatMap { $0 }.flatMap {
            IDTokenHint($0, host.verifier.keys, issuer: host.config.publicURL)
        }
        let named = (try? form.one("client_id")).flatMap { $0 }.flatMap { ClientID($0) }
        guard hint == nil || named == nil || hint?.client == named, let id = hint?.client ?? named,
            let destination = try await destination(id, (try? form.one("post_logout_redirect_uri")).flatMap { $0 })
        else {
            return SignInPages.message("Unknown application", "The link that brought you here names no application of ours.")
                .response(400)
        }
        let state = (try? form.one("state")).flatMap { $0 }
        let reader = host.db.reader(for: destination.tenant)
        guard let hash = browser.sessionHash(of: request), let secret = browser.secret(of: request) else {
            return try await leaveUnseen(hint, destination, form, request)
        }
        // Nobody of this clinic is signed in here: there is nothing to end, and another clinic's cookie stays.
        guard let session = try await AttemptStore(sql: reader).browserSession(hash, at: host.now()) else {
            return gone(destination, state)
        }
        let purpose = "sign out \(session.id)"
        let token = (try? form.one("token")).flatMap { $0 }
        let isAsked = request.method == "POST"
            && browser.isOurs(request, token: token, secret: secret, purpose: purpose)
        guard isAsked || hint?.session == session.id else {
            return SignInPages.signOut(
                token: browser.formToken(secret, purpose), hidden: Self.repeated(form, for: destination.client),
                leadsTo: destination.address.flatMap { RedirectURI.origin($0, isPublic: destination.client.isPublic) }
            ).response()
        }
        try await end(session, in: destination.tenant, request)
        return gone(destination, state, signedOut: true)
    }

    /// Another site's form brings no `Lax` cookie. An ID token says by itself whose session is meant; without one the
    /// browser comes again by a link, which brings the cookie, and the person is asked.
    private func leaveUnseen(
        _ hint: IDTokenHint?, _ destination: Destination, _ form: Form, _ request: Request
    ) async throws -> Response {
        if let id = hint?.session {
            if let session = try await CodeStore(sql: host.db.reader(for: destination.tenant)).browserSession(id) {
                try await end(session, in: destination.tenant, request)
            }
        } else if request.method == "POST" {
            return SignInFlow.see(
                RedirectURI.adding(Self.repeated(form, for: destination.client).map { ($0.name, $0.value) }, to: "/oauth2/logout"))
        }
        return gone(destination, (try? form.one("state")).flatMap { $0 })
    }

    /// What the next request must say again: who asks, by name, and where to go afterwards.
    private static func repeated(_ form: Form, for client: Client) -> [(name: String, value: String)] {
        [(name: "client_id", value: client.id.description)]
            + ["post_logout_redirect_uri", "state"].compactMap { name in
                (try? form.one(name)).flatMap { $0 }.map { (name: name, value: $0) }
            }
    }

    private func destination(_ id: ClientID, _ address: String?) async throws -> Destination? {
        guard let tenant = try await ClientStore(sql: host.db.systemReader).tenant(of: id),
            let client = try await ClientStore(sql: host.db.reader(for: tenant)).find(id, under: settings, of: tenant)
        else { return nil }
        guard let address else { return Destination(tenant: tenant, client: client, address: nil) }
        return client.sendsBack(to: address) ? Destination(tenant: tenant, client: client, address: address) : nil
    }

    private func end(_ session: BrowserSession, in tenant: TenantID, _ request: Request) async throws {
        let cause = Cause(tenant: tenant, actor: session.account, role: "system", traceparent: request.traceparent)
        try await host.transaction(for: tenant, as: cause) { tx in
            let ending = EndSession(host: host)
            for id in try await AttemptStore(sql: tx).end(session.id, at: host.now()) {
                _ = try await ending(id, of: tenant, because: .signedOut, tx)
            }
            try tx.audit("sign_out", "browser", session.id.description)
        }
    }

    /// The cookie goes only with the session that it is for.
    private func gone(_ destination: Destination, _ state: String?, signedOut: Bool = false) -> Response {
        var response = destination.address.map { SignInFlow.see(RedirectURI.adding([("state", state)], to: $0)) }
            ?? SignInPages.signedOut.response()
        if signedOut { response.headers.append(Browser.signOut) }
        return response
    }

    private static let docs = Route.Docs(
        "Sign out of this browser and of what clients began in it (RP-Initiated Logout)",
        query: [
            .optional("id_token_hint", .text(max: 4096)), .optional("client_id", .id),
            .optional("post_logout_redirect_uri", .text(max: 500)), .optional("state", .text(max: 2048)),
        ],
        answers: [(200, nil), (303, nil)], isForm: true)
}
