import Access
import Cryptography
import HTTP
import Primitives

/// What a client asks a person's browser to bring it (RFC 6749 4.1.1, RFC 7636, RFC 8707, OpenID Connect Core 3.1.2.1).
///
/// Every rule about such a request is in this file. It performs no I/O and reads no clock.
struct AuthorizationRequest: Equatable, Sendable {
    let redirectURI: String
    let scopes: Set<Scope>
    let services: Set<String>
    let state: String?
    let nonce: String?
    let challenge: String
    let prompts: Set<String>
    let maxAge: Int64?

    /// Reads all but client and address, which are checked before: only then may a refusal be sent back there.
    init(_ form: Form, redirectURI: String, client: Client) throws(OAuthError) {
        guard try form.one("request") == nil else { throw OAuthError(.requestNotSupported, "Send plain parameters.") }
        guard try form.one("request_uri") == nil else { throw OAuthError(.requestURINotSupported, "Send plain parameters.") }
        let type = try form.needed("response_type")
        guard type == "code" else { throw OAuthError(.unsupportedResponseType, "response_type must be code.") }
        guard try form.one("response_mode") ?? "query" == "query" else {
            throw OAuthError(.invalidRequest, "response_mode must be query.")
        }
        guard client.grantTypes.contains(.authorizationCode) else {
            throw OAuthError(.unauthorizedClient, "This client is not registered for authorization_code.")
        }
        // RFC 9700 2.1.1: PKCE for everybody, and never in the clear.
        guard let challenge = try form.one("code_challenge"), try form.one("code_challenge_method") == "S256",
            Base64URL.decode(challenge)?.count == 32
        else { throw OAuthError(.invalidRequest, "code_challenge with code_challenge_method=S256 is required.") }
        let scopes = client.granted(try form.one("scope"))
        guard !scopes.isEmpty else { throw OAuthError(.invalidScope, "No known scope that this client is registered for.") }
        self.redirectURI = redirectURI
        self.scopes = scopes
        self.challenge = challenge
        services = try Self.services(form.values("resource"), for: scopes)
        state = try Self.bounded(form.one("state"), to: 2048)
        nonce = try Self.bounded(form.one("nonce"), to: 512)
        prompts = Set((try form.one("prompt") ?? "").split(separator: " ").map(String.init))
        guard !prompts.contains("none") || prompts.count == 1 else {
            throw OAuthError(.invalidRequest, "prompt=none stands alone.")
        }
        if let text = try form.one("max_age") {
            guard let seconds = Int64(text), (0...31_536_000).contains(seconds) else {
                throw OAuthError(.invalidRequest, "max_age is a number of seconds.")
            }
            maxAge = seconds
        } else {
            maxAge = nil
        }
    }

    /// Whom the token is for: the named resources, or all that the scopes speak of (RFC 8707 2).
    static func services(_ resources: [String], for scopes: Set<Scope>) throws(OAuthError) -> Set<String> {
        let possible = Set(scopes.compactMap(\.service))
        guard !resources.isEmpty else { return possible }
        var named: Set<String> = []
        for resource in resources {
            guard let service = Grant.service(resource), possible.contains(service) else {
                throw OAuthError(.invalidTarget, "resource is no service that these scopes are for.")
            }
            named.insert(service)
        }
        return named
    }

    /// Whether somebody who signed in at that time must show again who they are.
    func wantsSignIn(since shownAt: Timestamp?, at now: Timestamp) -> Bool {
        guard let shownAt else { return true }
        if prompts.contains("login") || prompts.contains("select_account") { return true }
        guard let maxAge else { return false }
        return now.seconds(since: shownAt) > maxAge || maxAge == 0
    }

    private static func bounded(_ text: String?, to length: Int) throws(OAuthError) -> String? {
        guard let text else { return nil }
        guard text.utf8.count <= length else { throw OAuthError(.invalidRequest, "A parameter is too long.") }
        return text
    }
}
