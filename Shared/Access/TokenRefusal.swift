import HTTP

/// Why a request has no principal. Each is a 401 that says which way out there is.
package enum TokenRefusal: Error, Equatable {
    /// No bearer token: sign in.
    case missing
    /// Not a token of ours, whatever is wrong with it; a client learns no more.
    case invalid
    /// Its time is over: refresh.
    case expired
    /// The account was deactivated or its roles changed since: sign in again.
    case revoked
}

extension TokenRefusal: ProblemConvertible {
    package var problem: Problem {
        var problem: Problem
        var challenge = #"Bearer realm="polyclinic""#
        switch self {
        case .missing:
            problem = Problem(401, "token_missing", "Send an access token: Authorization: Bearer ….")
        case .invalid:
            problem = Problem(401, "token_invalid", "The access token is not valid here. Sign in again.")
            challenge += #", error="invalid_token", error_description="not valid here""#
        case .expired:
            problem = Problem(401, "token_expired", "The access token has expired. Refresh it.")
            challenge += #", error="invalid_token", error_description="expired""#
        case .revoked:
            problem = Problem(401, "token_revoked", "The access token was withdrawn. Sign in again.")
            challenge += #", error="invalid_token", error_description="withdrawn""#
        }
        problem.headers = [("WWW-Authenticate", challenge)]
        return problem
    }
}
