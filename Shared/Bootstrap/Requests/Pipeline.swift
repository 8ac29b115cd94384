import Access
import Glibc
import HTTP
import JSON
import Loop
import Primitives

/// From a request to its answer: route, content type, token, permission, query, body, handler; and one line of log.
///
/// Each step either goes on or throws the `Problem` that answers. Nothing else in the suite decides these things.
@LoopActor package final class Pipeline {
    private let host: Host
    private let table: RouteTable
    private let lines: [[UInt8]]
    private let unmatchedLine: [UInt8]
    private let limit: Int

    package init(_ service: Service, on host: Host) {
        self.host = host
        table = RouteTable(service.routes)
        limit = host.config.requestLimit
        lines = service.routes.map { RequestLine.prefix(service: service.name, method: $0.method, route: $0.pattern) }
        unmatchedLine = RequestLine.prefix(service: service.name, method: "", route: "unmatched")
        host.requests = RequestMetrics(service.routes)
    }

    /// What became known about a request on its way, for the log, metrics and audit.
    private struct Journey {
        var route: Int?
        var caller: Principal?
        var code: String?
    }

    /// Answers; it never throws, and what it answers never says more than a `Problem` can.
    package func answer(_ request: Request) async -> Response {
        let started = Self.monotonicMicroseconds()
        var journey = Journey()
        var response: Response
        if host.requests.inFlight >= limit {
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
        switch table.match(request.method, request.path) {
        case .none: throw Problem.notFound("resource")
        case .wrongMethod(let allow):
            var problem = Problem(405, "method_not_allowed", "This resource does not take \(Self.known(request.method)).")
            problem.headers = [("Allow", allow)]
            throw problem
        case .found(let index, let parameters):
            journey.route = index
            request.parameters = parameters
        }
        let route = table.routes[journey.route ?? 0]
        try Self.checkContentType(of: request, for: route)

        switch route.target {
        case .open(let handler):
            try Self.checkInput(of: &request, for: route)
            return try await handler(request)
        case .guarded(let handler):
            guard host.hasRevocations else { throw Problem.unavailable(retryAfter: 1) }
            let caller = try host.verifier.principal(of: request, at: host.now())
            journey.caller = caller
            guard caller.may(route.permission) else { throw Problem.forbidden }
            try Self.checkInput(of: &request, for: route)
            return try await handler(request, caller)
        }
    }

    /// Bodies are JSON; a body without a word about its kind is not guessed at.
    private static func checkContentType(of request: Request, for route: Route) throws {
        guard !request.bytes.isEmpty else { return }
        let type = request.header("content-type")?.prefix { $0 != ";" }.lowercased().trimming(" \t") ?? ""
        guard type == "application/json" || (type == "application/merge-patch+json" && route.method == "PATCH") else {
            throw Problem(415, "unsupported_media_type", "Send the body as application/json.")
        }
    }

    private static func checkInput(of request: inout Request, for route: Route) throws {
        request.query = try Schema.query(route.docs.query, of: request.queryString)
        guard route.docs.body != nil || !request.bytes.isEmpty else { return }
        request.body = try (route.docs.body ?? .object([])).body(of: request.bytes)
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
        if problem.status == 403, problem.code == Problem.forbidden.code, let caller = journey.caller {
            let pattern = journey.route.map { table.routes[$0].pattern } ?? ""
            await host.recordDenial(of: caller, request, pattern: pattern)
        }
        return self.problem(problem, for: request, &journey)
    }

    private func problem(_ problem: Problem, for request: Request, _ journey: inout Journey) -> Response {
        journey.code = problem.code
        return .problem(problem, traceID: request.traceID)
    }

    private func finish(_ response: inout Response, for request: Request, _ journey: Journey) {
        response.headers.append(("X-Content-Type-Options", "nosniff"))
        response.headers.append(("traceparent", request.traceparent))
        let isOpen = journey.route.map { table.routes[$0].permission == .anyone } ?? true
        // What a patient's record says must not stay in any cache on its way.
        if !isOpen && !response.headers.contains(where: { $0.name.lowercased() == "cache-control" }) {
            response.headers.append(("Cache-Control", "no-store"))
        }
    }

    /// A method as we may repeat it: what a client made up is not echoed.
    private static func known(_ method: String) -> String {
        ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"].contains(method) ? method : "this method"
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
