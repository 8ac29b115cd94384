import Access
import HTTP
import HTTPClient
import JSON
import Loop
import Primitives

/// From whose pages a browser may read our answers (CORS, docs/decisions/0041-origins-of-other-sites.md).
///
/// Each tenant has its own origins. A preflight carries no token, so it is answered for the origins of all tenants; the
/// answer itself is readable where the token's own tenant allows it. No cookie ever takes part: credentials are not
/// allowed to any origin.
@LoopActor package final class AllowedOrigins {
    package nonisolated static let path = "/internal/origins"
    private let url: String?
    private let log: Log
    private lazy var client = HTTPClient()
    private var ofTenants: [TenantID: Set<String>] = [:]
    /// Where clients' pages are; they may ask for tokens as well.
    private var ofClients: [TenantID: Set<String>] = [:]
    private var ofAnyTenant: Set<String> = []
    private var ofAnyClient: Set<String> = []
    private var seen: [UInt8] = []

    nonisolated init(services: [String: String], log: Log) {
        url = services["auth"].map { $0 + Self.path }
        self.log = log
    }

    /// Asks auth every five seconds; while it does not answer, what it said last counts.
    var worker: Worker {
        Worker("origins") {
            while true {
                await self.load()
                try await EventLoop.sleep(for: .seconds(5))
            }
        }
    }

    package func load() async {
        guard let url, let answer = try? await client.request("GET", url), answer.status == 200, answer.body != seen
        else { return }
        do {
            guard case .object(let json) = try JSONValue.parse(answer.body) else { return }
            try read(json.required("items"))
            seen = answer.body
        } catch { log.write(.error, "the allowed origins do not read") }
    }

    private func read(_ lines: [JSONObject]) throws {
        var tenants: [TenantID: Set<String>] = [:]
        var clients: [TenantID: Set<String>] = [:]
        for line in lines {
            let tenant: TenantID = try line.required("tenantId")
            let origin: String = try line.required("origin")
            if try line.required("isClients") { clients[tenant, default: []].insert(origin) } else {
                tenants[tenant, default: []].insert(origin)
            }
        }
        ofTenants = tenants
        ofClients = clients
        ofAnyTenant = tenants.values.reduce(into: []) { $0.formUnion($1) }
        ofAnyClient = clients.values.reduce(into: []) { $0.formUnion($1) }
    }

    /// Whether a page of `origin` may read what `path` answers; without a tenant, whether any tenant's may.
    func allows(_ origin: String, of tenant: TenantID?, at path: String) -> Bool {
        guard let tenant else { return ofAnyTenant.contains(origin) || (Self.isForClients(path) && ofAnyClient.contains(origin)) }
        return ofTenants[tenant]?.contains(origin) == true
            || (Self.isForClients(path) && ofClients[tenant]?.contains(origin) == true)
    }

    /// What OpenID Connect clients need before they have a token, and to learn whose it is.
    private static func isForClients(_ path: String) -> Bool { path.hasPrefix("/.well-known/") || path.hasPrefix("/oauth2/") }

    /// The answer to a preflight (Fetch 4.9); nil when this is none, or from nowhere that we know.
    func preflight(_ request: Request, methods: String) -> Response? {
        guard request.method == "OPTIONS", request.header("access-control-request-method") != nil,
            let origin = request.header("origin"), allows(origin, of: nil, at: request.path)
        else { return nil }
        return Response(
            204,
            headers: [
                ("Access-Control-Allow-Methods", methods), ("Access-Control-Allow-Headers", Self.headers),
                ("Access-Control-Max-Age", "600"),
            ])
    }

    /// Those of ours that a page must ask for, and those that it may read.
    private static let headers =
        "Authorization, Content-Type, Idempotency-Key, If-Match, traceparent"
    private static let readable = "ETag, Link, Location, Retry-After, WWW-Authenticate, traceparent"

    /// Adds what the browser looks for. `Vary` is on every answer, because each could have been another to another page.
    func mark(_ response: inout Response, to request: Request, of tenant: TenantID?) {
        response.headers.append(("Vary", "Origin"))
        guard let origin = request.header("origin"), allows(origin, of: tenant, at: request.path) else { return }
        response.headers.append(("Access-Control-Allow-Origin", origin))
        response.headers.append(("Access-Control-Expose-Headers", Self.readable))
    }
}
