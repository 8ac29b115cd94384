import HTTP
import JSON
import Primitives

/// How the person behind a token proved who they are: the claim `acr` (NIST SP 800-63B levels).
package enum Assurance: String, Sendable, JSONReadable, JSONWritable {
    /// A member of staff who must enrol a second factor first: good for that and nothing else.
    case enrolling
    /// One factor. Also what a token means that does not say.
    case single = "aal1"
    /// Two factors, or a passkey that verified its user.
    case multi = "aal2"
}

extension Route {
    /// For acts that a token picked up from an open screen must not do: whoever asks has proved who they are within
    /// this time (RFC 9470). Otherwise 401 `insufficient_user_authentication`; `POST /v1/auth/step-up` is the way on.
    package func afterStepUp(within age: Duration = .seconds(600)) -> Route {
        var route = self
        route.freshness = age
        route.docs.problems.append("insufficient_user_authentication")
        return route
    }

    /// For what somebody needs to enrol a second factor, and no more.
    package func openWhileEnrolling() -> Route {
        var route = self
        route.isOpenWhileEnrolling = true
        return route
    }

    /// Throws when the caller may do this, but has not proved enough or not lately.
    package func requireAuthentication(of caller: Principal, at now: Timestamp) throws(Problem) {
        if caller.assurance == .enrolling && !isOpenWhileEnrolling { throw Self.enrolFirst }
        guard let freshness else { return }
        let seconds = freshness.components.seconds
        guard let proved = caller.authenticatedAt, now <= proved.adding(seconds: seconds) else {
            throw Self.stepUp(seconds)
        }
    }

    private static let enrolFirst = Problem(
        403, "factor_required", "Your clinic asks for a second factor. Enrol one, then sign in again.")

    private static func stepUp(_ seconds: Int64) -> Problem {
        var problem = Problem(
            401, "insufficient_user_authentication", "Prove again who you are: POST /v1/auth/step-up, then repeat this.")
        problem.headers = [
            (
                "WWW-Authenticate",
                #"Bearer realm="polyclinic", error="insufficient_user_authentication", "#
                    + #"error_description="A more recent authentication is required", max_age="\#(seconds)""#
            )
        ]
        return problem
    }
}
