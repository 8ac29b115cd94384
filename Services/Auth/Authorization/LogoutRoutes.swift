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
        guard let hash = browser.sessionHash(of: request), let secret = browser.secret(of: request) else {
            return gone(destination, state)
        }
        let reader = host.db.reader(for: destination.tenant)
        guard let session = try await AttemptStore(sql: reader).browserSession(hash, at: host.now()) else {
            return gone(destination, state)
        }
        let purpose = "sign out \(session.id)"
        let token = (try? form.one("token")).flatMap { $0 }
        let isAsked = request.method == "POST"
            && browser.isOurs(request, token: token, secret: secret, purpose: purpose)
        guard isAsked || hint?.session == session.id else {
            let hidden = ["client_id", "post_logout_redirect_uri", "state"].compactMap { name in
                (try? form.one(name)).flatMap { $0 }.map { (name: name, value: $0) }
            }
            return SignInPages.signOut(
                token: browser.formToken(secret, purpose), hidden: hidden,
                leadsTo: destination.address.flatMap { RedirectURI.origin($0, isPublic: destination.client.isPublic) }
            ).response()
        }
        try await end(session, in: destination.tenant, request)
        return gone(destination, state)
    }

    private func destination(_ id: ClientID, _ address: String?) async throws -> Destination? {
        guard let tenant = try await ClientStore(sql: host.db.systemReader).tenant(of: id),
            let client = try await ClientStore(sql: host.db.reader(for: tenant)).find(id)
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

    private func gone(_ destination: Destination, _ state: String?) -> Response {
        guard let address = destination.address else {
            return SignInPages.signedOut.response(headers: [Browser.signOut])
        }
        var response = SignInFlow.see(RedirectURI.adding([("state", state)], to: address))
        response.headers.append(Browser.signOut)
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
