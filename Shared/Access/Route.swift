import HTTP
import JSON
import Loop

/// A path with its permission: there is no initialiser without one, so an unguarded route does not compile.
package struct Route: Sendable {
    package typealias Handler = @LoopActor @Sendable (Request, Principal) async throws -> Response
    /// For `.anyone` only: there is no principal to hand over.
    package typealias OpenHandler = @LoopActor @Sendable (Request) async throws -> Response

    package enum Target: Sendable {
        case guarded(Handler)
        case open(OpenHandler)
    }

    package let method: String
    /// `/v1/appointments/:id/cancellation`
    package let pattern: String
    package let permission: Permission
    package internal(set) var docs: Docs
    package let target: Target
    /// How long ago the caller may have signed in or stepped up; nil asks for neither.
    package internal(set) var freshness: Duration?
    package internal(set) var isOpenWhileEnrolling = false

    /// What OpenAPI says of the route, and what is checked before the handler runs.
    package struct Docs: Sendable {
        /// One line, in the imperative: "Book a slot for a patient".
        package var summary: String
        /// The body's schema: an `.object`. Without one the route takes no body.
        package var body: Schema?
        package var query: [Schema.Field]
        /// The answer's schema with its status.
        package var answers: [(status: Int, schema: Schema?)]
        /// The problem codes it may answer beside the usual ones.
        package var problems: [String]
        /// RFC 7396: the body is `application/merge-patch+json` (plain JSON is accepted too).
        package var isMergePatch: Bool
        /// Parameters come as a form, in the query or the body, and the handler reads them with `Form`: OAuth 2.0
        /// (RFC 6749 3.1) ignores unknown parameters, which our schemas refuse.
        package var isForm: Bool

        package init(
            _ summary: String, body: Schema? = nil, query: [Schema.Field] = [],
            answers: [(status: Int, schema: Schema?)] = [(200, nil)], problems: [String] = [],
            isMergePatch: Bool = false, isForm: Bool = false
        ) {
            self.summary = summary
            self.body = body
            self.query = query
            self.answers = answers
            self.problems = problems
            self.isMergePatch = isMergePatch
            self.isForm = isForm
        }
    }

    private init(_ method: String, _ pattern: String, _ permission: Permission, _ docs: Docs, _ target: Target) {
        self.method = method
        self.pattern = pattern
        self.permission = permission
        self.docs = docs
        self.target = target
    }

    package static func get(_ pattern: String, for permission: Permission, _ docs: Docs, _ handler: @escaping Handler) -> Route {
        Route("GET", pattern, permission, docs, .guarded(handler))
    }
    package static func post(_ pattern: String, for permission: Permission, _ docs: Docs, _ handler: @escaping Handler) -> Route {
        Route("POST", pattern, permission, docs, .guarded(handler))
    }
    package static func put(_ pattern: String, for permission: Permission, _ docs: Docs, _ handler: @escaping Handler) -> Route {
        Route("PUT", pattern, permission, docs, .guarded(handler))
    }
    package static func patch(_ pattern: String, for permission: Permission, _ docs: Docs, _ handler: @escaping Handler) -> Route {
        Route("PATCH", pattern, permission, docs, .guarded(handler))
    }
    package static func delete(_ pattern: String, for permission: Permission, _ docs: Docs, _ handler: @escaping Handler) -> Route {
        Route("DELETE", pattern, permission, docs, .guarded(handler))
    }
    /// A route that needs no token, said aloud.
    package static func anyone(_ method: String, _ pattern: String, _ docs: Docs, _ handler: @escaping OpenHandler) -> Route {
        Route(method, pattern, .anyone, docs, .open(handler))
    }
}
