import HTTP
import JSON

/// A refusal in OAuth's own words (RFC 6749 4.1.2.1 and 5.2, OpenID Connect Core 3.1.2.6): the code is the contract,
/// the description is for the developer who reads it.
struct OAuthError: Error, Equatable {
    enum Code: String, Sendable {
        case invalidRequest = "invalid_request"
        case invalidClient = "invalid_client"
        case invalidGrant = "invalid_grant"
        case invalidScope = "invalid_scope"
        case invalidTarget = "invalid_target"
        case unauthorizedClient = "unauthorized_client"
        case unsupportedGrantType = "unsupported_grant_type"
        case unsupportedResponseType = "unsupported_response_type"
        case unsupportedTokenType = "unsupported_token_type"
        case requestNotSupported = "request_not_supported"
        case requestURINotSupported = "request_uri_not_supported"
        case accessDenied = "access_denied"
        case loginRequired = "login_required"
        case consentRequired = "consent_required"
    }

    let code: Code
    let description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    /// 5.2: 400, and 401 with a challenge when the client is not who it says.
    var response: Response {
        var json = JSONWriter()
        json.object {
            $0.field("error", code.rawValue)
            $0.field("error_description", description)
        }
        var headers = [(name: "Content-Type", value: "application/json"), (name: "Cache-Control", value: "no-store")]
        if code == .invalidClient { headers.append(("WWW-Authenticate", #"Basic realm="polyclinic""#)) }
        return Response(code == .invalidClient ? 401 : 400, headers: headers, body: .bytes(json.bytes))
    }
}

extension Form {
    /// A parameter that may come once.
    func one(_ name: String) throws(OAuthError) -> String? {
        do { return try value(name) } catch {
            throw OAuthError(.invalidRequest, "A parameter occurs twice.")
        }
    }

    func needed(_ name: String) throws(OAuthError) -> String {
        guard let value = try one(name) else { throw OAuthError(.invalidRequest, "\(name) is missing.") }
        return value
    }
}
