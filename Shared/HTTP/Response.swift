import JSON
import Loop

/// What a handler answers.
package struct Response: Sendable {
    package enum Body: Sendable {
        case bytes([UInt8])
        /// Server-sent events: the closure writes until it returns, the client leaves or the server drains.
        case events(@LoopActor @Sendable (EventStream) async -> Void)
        /// RFC 6455, after the handshake.
        case webSocket(@LoopActor @Sendable (WebSocket) async -> Void)
    }

    package var status: Int
    package var headers: [(name: String, value: String)]
    package var body: Body

    package init(_ status: Int, headers: [(name: String, value: String)] = [], body: Body = .bytes([])) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    package static func json(_ value: some JSONWritable) -> Response { json(200, value) }

    package static func json(_ status: Int, _ value: some JSONWritable) -> Response {
        Response(status, headers: [("Content-Type", "application/json")], body: .bytes(value.jsonBytes))
    }

    /// A single resource with its version as a strong ETag.
    package static func json(_ value: some JSONWritable, version: Int) -> Response {
        json(200, value, version: version)
    }

    package static func json(_ status: Int, _ value: some JSONWritable, version: Int) -> Response {
        var response = json(status, value)
        response.headers.append(("ETag", "\"\(version)\""))
        return response
    }

    package static func created(
        _ value: some JSONWritable, version: Int? = nil, at location: String? = nil
    ) -> Response {
        var response = version.map { json(201, value, version: $0) } ?? json(201, value)
        if let location { response.headers.append(("Location", location)) }
        return response
    }

    package static let noContent = Response(204)

    /// `{"items":[…],"nextCursor":"…"}` with `Link: rel="next"`. `cursor` is opaque to clients.
    package static func page(_ items: [some JSONWritable], next cursor: String?, of request: Request) -> Response {
        var json = JSONWriter(reserving: 4096)
        json.object {
            $0.field("items", items)
            $0.field("nextCursor", cursor)
        }
        var response = Response(200, headers: [("Content-Type", "application/json")], body: .bytes(json.bytes))
        // A link is followed with GET: who asked with a body sends the cursor in it.
        if let cursor, request.method != "POST" {
            let kept = request.queryString.split(separator: "&").filter { !$0.hasPrefix("cursor=") }
            let query = (kept + ["cursor=\(cursor)"]).joined(separator: "&")
            response.headers.append(("Link", "<\(request.path)?\(query)>; rel=\"next\""))
        }
        return response
    }

    package static func document(_ contentType: String, _ bytes: [UInt8], fileName: String? = nil) -> Response {
        var response = Response(200, headers: [("Content-Type", contentType)], body: .bytes(bytes))
        if let fileName { response.headers.append(("Content-Disposition", "inline; filename=\"\(fileName)\"")) }
        return response
    }
}

extension Response {
    /// RFC 9457. `traceID` lets support find the log lines; nothing else of ours leaks.
    package static func problem(_ problem: Problem, traceID: String) -> Response {
        var json = JSONWriter()
        json.object {
            $0.field("type", "https://polyclinic.example/problems/" + problem.code)
            $0.field("title", "\(ResponseWriter.reason(problem.status))")
            $0.field("status", problem.status)
            if !problem.detail.isEmpty { $0.field("detail", problem.detail) }
            $0.field("code", problem.code)
            $0.field("traceId", traceID)
            if !problem.errors.isEmpty {
                $0.array("errors", problem.errors) { json, error in
                    json.object {
                        $0.field("pointer", error.pointer)
                        $0.field("code", error.code)
                        $0.field("detail", error.detail)
                    }
                }
            }
        }
        let headers = [("Content-Type", "application/problem+json")] + problem.headers.map { ($0.name, $0.value) }
        return Response(problem.status, headers: headers, body: .bytes(json.bytes))
    }
}
