import Access
import Glibc
import HTTP
import JSON
import Loop
import Postgres
import Primitives

/// From a request to its answer: route, content type, token, permission, query, body, handler; and one line of log.
///
/// Each step either goes on or throws the `Problem` that answers. Nothing else in the suite decides these things.
@LoopActor package final class Pipeline {
    private let host: Host
    private let routes: [Route]
    /// To the route's place in `routes`: what the log and metrics know it by.
    private let router: Router<Int>
    private let lines: [[UInt8]]
    private let unmatchedLine: [UInt8]
    private let limit: Int
    /// Whoever would wait longer for a turn at the database is told at once to come again: two seconds are what R17 leaves to
    /// those who are let in, for everything.
    private static let patience = Duration.milliseconds(1250)
    private var accounts: AccountRate

    /// Throws when two routes could be meant by one request.
    package init(_ service: Service, on host: Host) throws {
        self.host = host
        routes = service.routes
        router = try Router(service.routes.enumerated().map { ($1.method, $1.pattern, $0) })
        limit = host.config.requestLimit
        accounts = AccountRate(rate: host.config.accountRate)
        lines = service.routes.map { RequestLine.prefix(service: service.name, method: $0.method, route: $0.pattern) }
        unmatchedLine = RequestLine.prefix(service: service.name, method: "", route: "unmatched")
        host.requests = RequestMetrics(service.routes)
    }

    /// What became known about a request on its way, for the log, metrics and audit.
    private struct Journey {
        var route: Int?
        var caller: Principal?
        /// With its parameters, and once they were accepted its query and body.
        var request: Request?
        var code: String?
    }

    /// Answers; it never throws, and what it answers never says more than a `Problem` can.
    package func answer(_ request: Request) async -> Response {
        let started = Self.monotonicMicroseconds()
        var journey = Journey()
        var response: Response
        if host.requests.inFlight >= limit || host.db.expectedWait(behind: host.requests.inFlight) > Self.patience {
            host.requests.recordShed()
            response = problem(.unavailable(retryAfter: 1), for: request, &journey)
        } else {
            host.requests.inFlight += 1
            do {
                response = try await handle(request, &journey)
            } catch {
                response = await refusal(error, for: request, &journey)
            }
            host.requests.inFlight -= 1
        }
        finish(&response, for: request, journey)

        let took = Self.monotonicMicroseconds() - started
        host.requests.record(route: journey.route, status: response.status, microseconds: took)
        host.log.write(
            RequestLine(
                route: journey.route.map { lines[$0] } ?? unmatchedLine, status: response.status, microseconds: took,
                traceparent: request.traceparent,
                caller: journey.caller.map { ($0.tenant, $0.account, $0.mainRole.rawValue) }, code: journey.code))
        return response
    }

    // MARK: steps

    private func handle(_ request: Request, _ journey: inout Journey) async throws -> Response {
        var request = request
        switch router.match(method: request.method, path: request.path) {
        case .notFound: throw Problem.notFound("resource")
        case .malformed: throw Problem(400, "malformed_path", "The path is not percent-encoded UTF-8.")
        case .methodNotAllowed(let allow):
            if let answer = host.origins.preflight(request, methods: allow) { return answer }
            var problem = Problem(405, "method_not_allowed", "This resource does not take that method.")
            problem.headers = [("Allow", allow)]
            throw problem
        case .found(let index, let parameters):
            journey.route = index
            request.parameters = parameters
        }
        journey.request = request
        let route = routes[journey.route ?? 0]
        try Self.checkContentType(of: request, for: route)

        switch route.target {
        case .open(let handler):
            try route.readInput(of: &request)
            return try await handler(request)
        case .guarded(let handler):
            guard host.hasRevocations else { throw Problem.unavailable(retryAfter: 1) }
            let caller = try host.verifier.principal(
                of: request, at: host.now(), forCards: route.permission == .readCards)
                .acting(under: route.permission, leaving: ReadTrail())
            journey.caller = caller
            guard accounts.takes(caller.account, at: Self.monotonicMicroseconds()) else { throw Self.tooMany }
            guard caller.may(route.permission) else { throw Problem.forbidden }
            try route.requireAuthentication(of: caller, at: host.now())
            try route.readInput(of: &request)
            journey.request = request
            let ready = request
            let response = try await Cards.$traceparent.withValue(request.traceparent) {
                try await handler(ready, caller)
            }
            try await host.keepTrail(of: caller, ready, before: response)
            return try route.limited(response, to: caller)
        }
    }

    private static let tooMany: Problem = {
        var problem = Problem(429, "too_many_requests", "This account asks too much at once. Wait a moment.")
        problem.headers = [("Retry-After", "1")]
        return problem
    }()

    /// Bodies are JSON; a body without a word about its kind is not guessed at.
    private static func checkContentType(of request: Request, for route: Route) throws {
        guard !request.bytes.isEmpty else { return }
        let isForm = route.docs.isForm
        let type = request.header("content-type")?.prefix { $0 != ";" }.lowercased().trimming(" \t") ?? ""
        if isForm {
            guard type == "application/x-www-form-urlencoded" else {
                throw Problem(415, "unsupported_media_type", "Send the body as application/x-www-form-urlencoded.")
            }
            return
        }
        guard type == "application/json" || (type == "application/merge-patch+json" && route.method == "PATCH") else {
            throw Problem(415, "unsupported_media_type", "Send the body as application/json.")
        }
    }

    // MARK: refusals

    private func refusal(_ error: any Error, for request: Request, _ journey: inout Journey) async -> Response {
        let problem: Problem
        switch Failure(error) {
        case .refused(let refusal): problem = refusal
        case .unavailable(let reason):
            host.log.write(.warning, "dependency unavailable", ("reason", reason), ("traceId", request.traceID))
            problem = .unavailable(retryAfter: 1)
        case .ours(let detail):
            host.log.write(.error, "request failed", ("detail", detail), ("traceId", request.traceID))
            problem = .internalError
        }
        if let caller = journey.caller, let route = journey.route.map({ routes[$0] }),
            Self.isDenial(problem, on: route)
        {
            await host.recordDenial(of: caller, journey.request ?? request, pattern: route.pattern)
        }
        return self.problem(problem, for: request, &journey)
    }

    /// Whoever is known and gets 401 must prove it again first. What concerns patients may be refused in other words.
    private static func isDenial(_ problem: Problem, on route: Route) -> Bool {
        switch problem.status {
        case 401, 403: true
        case 404: route.permission.concernsPatients
        case 422: route.permission.concernsPatients && Permission.hiding.contains(problem.code)
        default: false
        }
    }

    private func problem(_ problem: Problem, for request: Request, _ journey: inout Journey) -> Response {
        journey.code = problem.code
        return .problem(problem, traceID: request.traceID)
    }

    private func finish(_ response: inout Response, for request: Request, _ journey: Journey) {
        response.headers.append(("X-Content-Type-Options", "nosniff"))
        response.headers.append(("traceparent", request.traceparent))
        host.origins.mark(&response, to: request, of: journey.caller?.tenant)
        let isOpen = journey.route.map { routes[$0].permission == .anyone } ?? true
        // What a patient's record says must not stay in any cache on its way.
        if !isOpen && !response.headers.contains(where: { $0.name.lowercased() == "cache-control" }) {
            response.headers.append(("Cache-Control", "no-store"))
        }
    }

    private static func monotonicMicroseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(clamping: time.tv_sec) &* 1_000_000 &+ UInt64(clamping: time.tv_nsec / 1000)
    }
}

extension String {
    /// Without these characters at both ends.
    func trimming(_ characters: String) -> String {
        var text = self[...]
        while let first = text.first, characters.contains(first) { text = text.dropFirst() }
        while let last = text.last, characters.contains(last) { text = text.dropLast() }
        return String(text)
    }
}
