import Access
import Bootstrap
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// Where somebody is signed in: seen and ended by themselves, and ended for them by an administrator.
@LoopActor struct LiveSessionRoutes {
    let host: Host

    var table: [Route] {
        [
            .get("/v1/auth/sessions", for: .signedIn, Self.listDocs, list),
            .delete("/v1/auth/sessions/:id", for: .signedIn, Self.endDocs, end).afterStepUp(),
            .delete("/v1/users/:id/sessions", for: .manageUsers, Self.endAllDocs, endAll).afterStepUp(),
        ]
    }

    /// Sessions, and the browsers that can begin further ones without asking for the password.
    private func list(_ request: Request, by caller: Principal) async throws -> Response {
        let reader = host.db.reader(for: caller.tenant)
        let now = host.now()
        let sessions = try await SessionStore(sql: reader).live(of: caller.account, at: now)
        let browsers = try await AttemptStore(sql: reader).browsers(of: caller.account, at: now)
        return .page(
            sessions.map { LiveSessionView(session: $0, isCurrent: $0.id == caller.session) }
                + browsers.map { LiveSessionView(browser: $0) },
            next: nil, of: request)
    }

    /// A browser ends with all that applications began in it, as when one signs out there.
    private func end(_ request: Request, by caller: Principal) async throws -> Response {
        let id = try request.id("id", of: SessionKind.self)
        return try await host.write(request, by: caller) { tx in
            // The account first, then its sessions: the order in which deactivation locks them.
            try await CredentialStore(sql: tx).lock(caller.account)
            let ending = EndSession(host: host)
            let session = try await SessionStore(sql: tx).findForUpdate(id)
            if let session, session.account == caller.account {
                _ = try await ending(id, of: caller.tenant, because: .signedOut, tx)
                return .noContent
            }
            let browsers = AttemptStore(sql: tx)
            guard let browser = try await browsers.browsers(of: caller.account, at: host.now()).first(where: { $0.id.isSame(as: id) })
            else { throw Problem.notFound("session") }
            for begun in try await browsers.end(browser.id, at: host.now()) {
                _ = try await ending(begun, of: caller.tenant, because: .signedOut, tx)
            }
            try tx.audit("sign_out", "browser", browser.id.description)
            return .noContent
        }
    }

    /// Somebody lost a phone, or left a screen open: they are out everywhere and may sign in again.
    private func endAll(_ request: Request, by caller: Principal) async throws -> Response {
        let id = try request.id("id", of: Primitives.Account.self)
        return try await host.write(request, by: caller) { tx in
            let credentials = CredentialStore(sql: tx)
            try await credentials.lock(id)
            guard let account = try await credentials.read(id) else { throw Problem.notFound("user") }
            try await EndSession(host: host).all(of: id, in: caller.tenant, because: .endedByAdministrator, tx)
            try await AttemptStore(sql: tx).endBrowsers(of: id, at: host.now())
            try tx.audit("end_sessions", "account", id.description)
            if let patient = account.patient { tx.concerns(patient) }
            return .noContent
        }
    }

    private static let listDocs = Route.Docs(
        "List where the caller is signed in",
        answers: [(200, .object([.required("items", .list(of: LiveSessionView.schema, max: 200)), .optional("nextCursor", .text(max: 500))]))])
    private static let endDocs = Route.Docs(
        "Sign out there, at once: an own session, or a browser with all that applications began in it", answers: [(204, nil)])
    private static let endAllDocs = Route.Docs("End all of somebody's sessions, at once and in every service", answers: [(204, nil)])
}

extension BrowserSessionID {
    /// Whether it is the id that came in an address where sessions of either kind are named.
    fileprivate func isSame(as id: SessionID) -> Bool { high == id.high && low == id.low }
}

private struct LiveSessionView: JSONWritable {
    let id: String
    let kind: String
    let application: String?
    let startedAt: Timestamp
    let lastUsedAt: Timestamp?
    let expiresAt: Timestamp
    let assurance: Assurance
    let isCurrent: Bool

    init(session: LiveSession, isCurrent: Bool) {
        id = session.id.description
        kind = "session"
        application = session.client
        startedAt = session.startedAt
        lastUsedAt = session.lastUsedAt
        expiresAt = session.expiresAt
        assurance = session.assurance
        self.isCurrent = isCurrent
    }

    init(browser: BrowserSession) {
        id = browser.id.description
        kind = "browser"
        application = nil
        startedAt = browser.shownAt
        lastUsedAt = nil
        expiresAt = browser.expiresAt
        assurance = Assurance(shown: browser.shown)
        isCurrent = false
    }

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("id", id)
            $0.field("kind", kind)
            $0.field("application", application)
            $0.field("startedAt", startedAt)
            $0.field("lastUsedAt", lastUsedAt)
            $0.field("expiresAt", expiresAt)
            $0.field("assurance", assurance.rawValue)
            $0.field("current", isCurrent)
        }
    }

    static let schema = Schema.object([
        .required("id", .id), .required("kind", .choice(["session", "browser"]), "A browser can begin sessions of applications"),
        .optional("application", .text(max: 200), "Whose session it is; left out for the suite's own"),
        .required("startedAt", .instant), .optional("lastUsedAt", .instant), .required("expiresAt", .instant),
        .required("assurance", .choice(["enrolling", "aal1", "aal2"])), .required("current", .boolean, "The one that asks"),
    ])
}
