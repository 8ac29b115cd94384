import JSON
import Primitives

/// One HTTP request as a handler sees it: parsed, bounded, and with body and query already checked
/// against the route's schemas.
package struct Request: Sendable {
    package let method: String
    /// The path without its query, as it came (percent-encoding decoded per segment in `parameters`).
    package let path: String
    /// Values of the `:name` segments of the route's pattern.
    package var parameters: [(name: String, value: String)] = []
    /// Names are lower case.
    package let headers: [(name: String, value: String)]
    /// The raw body, within the server's limit.
    package let bytes: [UInt8]
    /// The body as the route's `body` schema accepted it; empty when the route takes none.
    package var body = JSONObject()
    /// The query as the route's `query` fields accepted it, already of their types (integers are integers).
    package var query = JSONObject()
    /// The raw query string without `?`.
    package let queryString: String
    /// W3C trace context of this request: `00-<trace id>-<our span>-01`.
    package let traceparent: String
    /// The client's address: from `X-Forwarded-For` when the peer is our gateway.
    package let remoteAddress: String

    package init(
        method: String, path: String, headers: [(name: String, value: String)] = [], bytes: [UInt8] = [],
        queryString: String = "", traceparent: String = "", remoteAddress: String = ""
    ) {
        self.method = method
        self.path = path
        self.headers = headers
        self.bytes = bytes
        self.queryString = queryString
        self.traceparent = traceparent
        self.remoteAddress = remoteAddress
    }

    /// The first header of this (lower-case) name.
    package func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }

    /// The trace id inside `traceparent`: what errors and log lines carry.
    package var traceID: String { String(traceparent.dropFirst(3).prefix(32)) }

    /// An identifier from the path. One that is not a UUID cannot exist, so it is a 404.
    package func id<Kind>(_ name: String, of _: Kind.Type = Kind.self) throws(Problem) -> ID<Kind> {
        guard let text = parameters.first(where: { $0.name == name })?.value, let id = ID<Kind>(text) else {
            throw .notFound("resource")
        }
        return id
    }

    /// The version in `If-Match`: missing is 428, malformed or weak is 412.
    package func ifMatch() throws(Problem) -> Int {
        guard let tag = header("if-match") else {
            throw Problem(428, "precondition_required", "Send If-Match with the ETag you read.")
        }
        let digits = tag.utf8.dropFirst().dropLast()
        guard tag.hasPrefix("\""), tag.hasSuffix("\""), digits.allSatisfy({ (0x30...0x39).contains($0) }),
            let version = Int(Substring(digits))
        else { throw .staleVersion }
        return version
    }
}

extension Problem {
    package static let staleVersion = Problem(
        412, "stale_version", "Somebody changed this since you read it. Read it again and repeat your change.")
}
