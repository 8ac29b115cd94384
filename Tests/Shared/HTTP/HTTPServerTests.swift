import Glibc
import HTTP
import JSON
import Loop
import TestSupport
import Testing

@Suite struct HTTPServerTests {
    /// Answers with what it was asked.
    private static let echo: HTTPServer.Handler = { request in
        await Task.yield()
        let text =
            "\(request.method) \(request.path)?\(request.queryString) \(String(decoding: request.bytes, as: UTF8.self))"
        return .document("text/plain", Array(text.utf8))
    }

    @Test func `One connection serves many requests`() async throws {
        try await withServer(Self.echo) { port, _ in
            let client = try TestClient(port: port)
            for number in 0..<5 {
                try client.send("POST /a?n=\(number) HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")
                let (head, body) = try client.answer()
                #expect(head.hasPrefix("HTTP/1.1 200 OK\r\nDate: "))
                #expect(!head.contains("Connection"))
                #expect(body == "POST /a?n=\(number) hi")
            }
        }
    }

    @Test func `Pipelined requests are answered in order`() async throws {
        try await withServer(Self.echo) { port, _ in
            let client = try TestClient(port: port)
            try client.send((0..<20).map { "GET /\($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined())
            for number in 0..<20 { #expect(try client.answer().body == "GET /\(number)? ") }
        }
    }

    @Test func `Far more pipelined bytes than a connection buffers are answered`() async throws {
        try await withServer(Self.echo) { port, _ in
            let client = try TestClient(port: port)
            let body = String(repeating: "b", count: 60_000)
            try client.send(
                (0..<12).map { "POST /\($0) HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n\(body)" }.joined())
            for number in 0..<12 { #expect(try client.answer().body == "POST /\(number)? \(body)") }
        }
    }

    @Test func `A request that arrives byte by byte is answered`() async throws {
        try await withServer(Self.echo) { port, _ in
            let client = try TestClient(port: port)
            for byte in "PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n".utf8 {
                try client.send([byte])
            }
            #expect(try client.answer().body == "PUT /x? hi")
        }
    }

    @Test(arguments: ["GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "GET / HTTP/1.0\r\n\r\n"])
    func `The connection closes when the client says so`(_ request: String) async throws {
        try await withServer(Self.echo) { port, _ in
            let client = try TestClient(port: port)
            try client.send(request)
            let text = try client.readToEnd()
            #expect(text.contains("\r\nConnection: close\r\n"))
            #expect(text.hasSuffix("GET /? "))
        }
    }

    @Test func `An old client that wants to stay is told that it may`() async throws {
        try await withServer(Self.echo) { port, _ in
            let client = try TestClient(port: port)
            for _ in 0..<2 {
                try client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
                #expect(try client.answer().head.contains("\r\nConnection: keep-alive\r\n"))
            }
        }
    }

    @Test func `HEAD has the length and no content`() async throws {
        try await withServer(Self.echo) { port, _ in
            let client = try TestClient(port: port)
            try client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try client.read(until: "\r\n\r\n").contains("Content-Length: 8\r\n"))
            #expect(try client.answer().body == "GET /? ")
        }
    }

    @Test func `An answer without content has no length`() async throws {
        try await withServer({ _ in .noContent }) { port, _ in
            let client = try TestClient(port: port)
            try client.send("DELETE / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            let text = try client.readToEnd()
            #expect(text.hasPrefix("HTTP/1.1 204 No Content\r\n"))
            #expect(!text.contains("Content-Length"))
        }
    }

    @Test func `A client may wait for 100 Continue`() async throws {
        try await withServer(Self.echo) { port, _ in
            let client = try TestClient(port: port)
            try client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
            #expect(try client.read(until: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
            try client.send("hi")
            #expect(try client.answer().body == "POST /? hi")
        }
    }

    @Test func `A refused request is answered as a problem and the connection closed`() async throws {
        try await withServer(Self.echo) { port, _ in
            let client = try TestClient(port: port)
            try client.send("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")
            let (head, body) = try client.answer()
            #expect(head.hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
            #expect(head.contains("Content-Type: application/problem+json\r\n"))
            #expect(head.contains("Connection: close\r\n"))
            let problem = try JSONObject(json: JSONValue.parse(Array(body.utf8)))
            #expect(problem?["code"] == .string("malformed_host"))
            #expect(problem?["type"] == .string("https://polyclinic.example/problems/malformed_host"))
            #expect(try problem?.required("traceId", as: String.self).count == 32)
            #expect(try client.readToEnd() == "")
        }
    }

    @Test func `A body that is too large is refused even while it is being sent`() async throws {
        try await withServer(Self.echo) { port, _ in
            let client = try TestClient(port: port)
            try client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n")
            try client.send([UInt8](repeating: 0x61, count: 3_000_000))
            #expect(try client.readToEnd().hasPrefix("HTTP/1.1 413 "))
        }
    }

    @Test func `A large answer reaches a slow client whole`() async throws {
        let content = Array(repeating: Array("0123456789".utf8), count: 500_000).flatMap { $0 }
        try await withServer({ _ in .document("application/octet-stream", content) }) { port, _ in
            let client = try TestClient(port: port, receiveBuffer: 4096)
            for _ in 0..<2 {
                try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(try client.read(until: "\r\n\r\n").contains("Content-Length: 5000000\r\n"))
                let isWhole = try client.read(count: content.count) == content
                #expect(isWhole)
            }
        }
    }

    @Test func `A client that has closed its sending half still gets its answer`() async throws {
        try await withServer({ _ in
            try? await EventLoop.sleep(for: .milliseconds(20))
            return .document("text/plain", Array("late".utf8))
        }) { port, _ in
            let client = try TestClient(port: port)
            try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            client.finish()
            #expect(try client.readToEnd().hasSuffix("late"))
        }
    }

    // MARK: deadlines

    @Test func `A head that drips is cut off by a deadline for the whole of it`() async throws {
        try await withServer({ $0.headerDeadline = .milliseconds(60) }, Self.echo) { port, _ in
            let client = try TestClient(port: port)
            // Every byte is progress, and none of them extends the deadline.
            for byte in "GET / HTTP/1.1\r\n".utf8 {
                guard (try? client.send([byte])) != nil else { break }
                usleep(8000)
            }
            #expect(try client.readToEnd().hasPrefix("HTTP/1.1 408 Request Timeout\r\n"))
        }
    }

    @Test func `A body that stays away is a timeout`() async throws {
        try await withServer({ $0.bodyDeadline = .milliseconds(20) }, Self.echo) { port, _ in
            let client = try TestClient(port: port)
            try client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
            #expect(try client.readToEnd().hasPrefix("HTTP/1.1 408 "))
        }
    }

    @Test func `Silence is closed without a word`() async throws {
        try await withServer(
            {
                $0.headerDeadline = .milliseconds(20)
                $0.idleDeadline = .milliseconds(20)
            }, Self.echo
        ) { port, _ in
            #expect(try TestClient(port: port).readToEnd() == "")
            let client = try TestClient(port: port)
            try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try client.answer().body == "GET /? ")
            #expect(try client.readToEnd() == "")
        }
    }

    @Test func `A client that takes nothing is cut off`() async throws {
        try await withServer(
            { $0.writeDeadline = .milliseconds(30) },
            { _ in .document("x/y", [UInt8](repeating: 0, count: 30_000_000)) }
        ) { port, server in
            let client = try TestClient(port: port, receiveBuffer: 4096)
            try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            try await onLoop { while server.connectionCount > 0 { try await EventLoop.sleep(for: .milliseconds(5)) } }
        }
    }

    // MARK: limits and the end

    @Test func `One connection more than the limit is turned away`() async throws {
        try await withServer({ $0.connectionLimit = 1 }, Self.echo) { port, _ in
            let first = try TestClient(port: port)
            try first.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try first.answer().body == "GET /? ")
            #expect(try TestClient(port: port).readToEnd().hasPrefix("HTTP/1.1 503 "))
            try first.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try first.answer().body == "GET /? ")
        }
    }

    @Test func `Draining finishes what is in flight and closes what is idle`() async throws {
        try await withServer({ request in
            try? await EventLoop.sleep(for: .milliseconds(60))
            return .document("text/plain", Array("done".utf8))
        }) { port, server in
            let idle = try TestClient(port: port)
            let busy = try TestClient(port: port)
            try busy.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            try await onLoop {
                while server.connectionCount < 2 { try await EventLoop.sleep(for: .milliseconds(1)) }
                try await EventLoop.sleep(for: .milliseconds(10))
                await server.drain()
                #expect(server.connectionCount == 0)
            }
            #expect(try idle.readToEnd() == "")
            let text = try busy.readToEnd()
            #expect(text.contains("Connection: close\r\n"))
            #expect(text.hasSuffix("done"))
            #expect(throws: TestClient.Refused.self) { try TestClient(port: port) }
        }
    }

    @Test func `A port in use by somebody else, and a name, are errors`() async throws {
        try await onLoop {
            #expect(throws: HTTPServer.ListenError.self) {
                try HTTPServer(host: "example.com", port: 0) { _ in .noContent }
            }
            #expect(throws: HTTPServer.ListenError.self) {
                try HTTPServer(host: "192.0.2.1", port: 0) { _ in .noContent }
            }
            #expect(throws: HTTPServer.ListenError.self) {
                try HTTPServer(host: "::1", port: 70000) { _ in .noContent }
            }
        }
    }

    // MARK: what the handler learns

    @Test func `The trace goes on, and the gateway says who the client is`() async throws {
        try await withServer({ .document("text/plain", Array("\($0.traceparent) \($0.remoteAddress)".utf8)) }) {
            port, _ in
            let trace = "0af7651916cd43dd8448eb211c80319c"
            let client = try TestClient(port: port)
            func ask(_ headers: String) throws -> [Substring] {
                try client.send("GET / HTTP/1.1\r\nHost: a\r\n\(headers)\r\n")
                return try client.answer().body.split(separator: " ")
            }
            let known = try ask(
                "traceparent: 00-\(trace)-b7ad6b7169203331-00\r\nX-Forwarded-For: 10.0.0.1, 2001:db8::7\r\n")
            #expect(known[0].hasPrefix("00-\(trace)-"))
            #expect(known[0].hasSuffix("-00"))
            #expect(!known[0].contains("b7ad6b7169203331"))
            #expect(known[1] == "2001:db8::7")
            for broken in [
                "", "traceparent: 00-\(trace)\r\n", "traceparent: ff-\(trace)-b7ad6b7169203331-01\r\n",
                "traceparent: 00-00000000000000000000000000000000-b7ad6b7169203331-01\r\n",
                "traceparent: 00-\(trace)-b7ad6b7169203331-01-x\r\n",
                "traceparent: 00-\(trace.uppercased())-b7ad6b7169203331-01\r\n", "X-Forwarded-For: me\r\n",
            ] {
                let fresh = try ask(broken)
                #expect(!fresh[0].contains(trace))
                #expect(fresh[0].utf8.count == 55)
                #expect(fresh[1] == "127.0.0.1")
            }
        }
    }

    @Test func `A line end in a header's value cannot start a header`() async throws {
        try await withServer({ _ in Response(200, headers: [("X", "a\r\nEvil: yes")]) }) { port, _ in
            let client = try TestClient(port: port)
            try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try client.answer().head.contains("X: a  Evil: yes\r\n"))
        }
    }
}
