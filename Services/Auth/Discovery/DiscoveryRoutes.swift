import Access
import Bootstrap
import HTTP
import JSON
import Loop

/// Where a client finds everything (OpenID Connect Discovery 1.0, RFC 8414). One issuer for all tenants: a client
/// belongs to one of them, so naming the client names the tenant.
@LoopActor struct DiscoveryRoutes {
    let host: Host

    var table: [Route] {
        [
            .anyone("GET", "/.well-known/openid-configuration", Self.docs, show),
            .anyone("GET", "/.well-known/oauth-authorization-server", Self.docs, show),
        ]
    }

    private func show(_ request: Request) async throws -> Response {
        let issuer = host.config.publicURL
        var json = JSONWriter()
        json.object {
            $0.field("issuer", issuer)
            $0.field("authorization_endpoint", issuer + "/oauth2/authorize")
            $0.field("token_endpoint", issuer + "/oauth2/token")
            $0.field("userinfo_endpoint", issuer + "/oauth2/userinfo")
            $0.field("introspection_endpoint", issuer + "/oauth2/introspect")
            $0.field("revocation_endpoint", issuer + "/oauth2/revoke")
            $0.field("end_session_endpoint", issuer + "/oauth2/logout")
            $0.field("jwks_uri", issuer + "/.well-known/jwks.json")
            $0.field("scopes_supported", Scope.allCases.map(\.rawValue))
            $0.field("response_types_supported", ["code"])
            $0.field("response_modes_supported", ["query"])
            $0.field("grant_types_supported", Client.GrantType.allCases.map(\.rawValue))
            $0.field("subject_types_supported", ["public", "pairwise"])
            $0.field("id_token_signing_alg_values_supported", ["ES256"])
            $0.field("code_challenge_methods_supported", ["S256"])
            for place in ["token", "introspection", "revocation"] {
                let none = place == "token" ? ["none"] : []
                $0.field("\(place)_endpoint_auth_methods_supported", ["client_secret_basic", "client_secret_post"] + none)
            }
            $0.field("acr_values_supported", [Assurance.single.rawValue, Assurance.multi.rawValue])
            $0.field(
                "claims_supported",
                [
                    "sub", "iss", "aud", "auth_time", "nonce", "acr", "amr", "at_hash", "sid", "name", "email", "phone_number",
                    "roles",
                ])
            $0.field("prompt_values_supported", ["none", "login", "consent", "select_account"])
            $0.field("authorization_response_iss_parameter_supported", true)
            $0.field("request_parameter_supported", false)
            $0.field("request_uri_parameter_supported", false)
            $0.field("claims_parameter_supported", false)
        }
        return Response(
            200, headers: [("Content-Type", "application/json"), ("Cache-Control", "public, max-age=300")],
            body: .bytes(json.bytes))
    }

    private static let docs = Route.Docs(
        "Where an OpenID Connect client finds everything", answers: [(200, .any)])
}
