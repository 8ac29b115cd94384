import JSON

/// An error as the client sees it: RFC 9457 `application/problem+json`.
///
/// It has no slot for an underlying error, so SQL, stack traces and personal data cannot leak through it.
/// `code` is stable snake_case and part of the contract; clients branch on it, never on text.
package struct Problem: Error, Sendable {
    package let status: Int
    package let code: String
    /// One plain sentence that says what to do next. Never personal data, never what the client sent.
    package let detail: String
    package var errors: [FieldError] = []
    package var headers: [(name: String, value: String)] = []

    package init(_ status: Int, _ code: String, _ detail: String = "") {
        self.status = status
        self.code = code
        self.detail = detail
    }

    /// 400 with every wrong field at once.
    package static func invalid(_ errors: [FieldError]) -> Problem {
        var problem = Problem(400, "invalid_request", "Some fields are missing or wrong; see errors.")
        problem.errors = errors
        return problem
    }
    package static func invalid(_ field: String, _ code: String, _ detail: String) -> Problem {
        invalid([FieldError(pointer: "/" + field, code: code, detail: detail)])
    }
    /// Also for what the caller may not know of.
    package static func notFound(_ what: String) -> Problem { Problem(404, "not_found", "There is no such \(what).") }
    package static let forbidden = Problem(403, "forbidden", "Your role does not permit this.")
    package static func conflict(_ code: String, _ detail: String) -> Problem { Problem(409, code, detail) }
    package static func refused(_ code: String, _ detail: String) -> Problem { Problem(422, code, detail) }
    package static let internalError = Problem(500, "internal_error", "Something went wrong on our side. Nothing was changed.")
    package static func unavailable(retryAfter seconds: Int) -> Problem {
        var problem = Problem(503, "unavailable", "The service cannot answer right now. Try again shortly.")
        problem.headers = [("Retry-After", "\(seconds)")]
        return problem
    }
}

/// A refusal of a rule that says what it is over HTTP: the one mapping per noun, at the foot of its routes file.
package protocol ProblemConvertible: Error {
    var problem: Problem { get }
}
extension Problem: ProblemConvertible { package var problem: Problem { self } }
