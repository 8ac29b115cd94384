import Glibc
import HTTP
import Loop
import TestSupport
import Testing

@Suite struct EventStreamTests {
    @Test func `Events arrive as they are sent, and the connection goes on`() async throws {
        try await withServer({ request in
            guard request.path == "/events" else { return .noContent }
            return Response(
                200,
                body: .events { stream in
                    _ = await stream.send(event: "tick", id: "1", data: Array("a\nb".utf8))
                    _ = await stream.send(data: [])
                })
        }) { port, _ in
            let client = try TestClient(port: port)
            try client.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")
            let head = try client.read(until: "\r\n\r\n")
            #expect(head.contains("Content-Type: text/event-stream\r\n"))
            #expect(head.contains("Transfer-Encoding: chunked\r\n"))
            let first = "event: tick\nid: 1\ndata: a\ndata: b\n\n"
            let body = try client.read(until: "0\r\n\r\n")
            #expect(body == "\(String(first.utf8.count, radix: 16))\r\n\(first)\r\n8\r\ndata: \n\n\r\n0\r\n\r\n")
            #expect(try client.read(until: "\r\n\r\n").hasPrefix("HTTP/1.1 204 "))
        }
    }

    @Test func `Fields cannot smuggle lines`() async throws {
        try await withServer({ _ in
            Response(
                200,
                body: .events { _ = await $0.send(event: "a\ndata: x", id: "1\r\n", data: Array("x\r\ny\rz".utf8)) })
        }) { port, _ in
            let client = try TestClient(port: port)
            try client.send("GET / HTTP/1.0\r\n\r\n")
            let text = try client.readToEnd()
            #expect(text.hasSuffix("\r\n\r\nevent: adata: x\nid: 1\ndata: x\ndata: yz\n\n"))
            #expect(!text.contains("chunked"))
        }
    }

    @Test func `A silent stream shows that it lives`() async throws {
        try await withServer(
            { $0.heartbeat = .milliseconds(10) },
            { _ in
                Response(200, body: .events { _ in try? await EventLoop.sleep(for: .seconds(3600)) })
            }
        ) { port, _ in
            let client = try TestClient(port: port)
            try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            for _ in 0..<3 { _ = try client.read(until: "3\r\n:\n\n\r\n") }
        }
    }

    @Test func `When the client leaves, the stream's task is cancelled`() async throws {
        let log = Journal()
        try await withServer({ _ in
            Response(
                200,
                body: .events { stream in
                    do { try await EventLoop.sleep(for: .seconds(3600)) } catch { log.lines.append("cancelled") }
                    log.lines.append(await stream.send(data: [0x61]) ? "sent" : "gone")
                })
        }) { port, server in
            do {
                let client = try TestClient(port: port)
                try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                _ = try client.read(until: "\r\n\r\n")
            }
            try await onLoop {
                while log.lines.count < 2 { try await EventLoop.sleep(for: .milliseconds(1)) }
                #expect(log.lines == ["cancelled", "gone"])
                #expect(server.connectionCount == 0)
            }
        }
    }

    @Test func `A client that reads nothing is cut off and does not fill memory`() async throws {
        let log = Journal()
        try await withServer(
            { $0.writeDeadline = .milliseconds(50) },
            { _ in
                Response(
                    200,
                    body: .events { stream in
                        while await stream.send(data: [UInt8](repeating: 0x61, count: 100_000)) {}
                        log.lines.append("gone")
                    })
            }
        ) { port, _ in
            let client = try TestClient(port: port, receiveBuffer: 4096)
            try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            try await onLoop { while log.lines.isEmpty { try await EventLoop.sleep(for: .milliseconds(5)) } }
            _ = try client.readToEnd()
        }
    }

    @Test func `Draining ends streams in good order`() async throws {
        try await withServer({ _ in
            Response(
                200,
                body: .events { stream in
                    _ = await stream.send(data: Array("first".utf8))
                    try? await EventLoop.sleep(for: .seconds(3600))
                })
        }) { port, server in
            let client = try TestClient(port: port)
            try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            _ = try client.read(until: "first\n\n\r\n")
            try await onLoop { await server.drain() }
            #expect(try client.readToEnd() == "0\r\n\r\n")
        }
    }
}

@Suite struct WebSocketTests {
    private static let handshake =
        "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

    private static let echo: HTTPServer.Handler = { _ in
        Response(
            101,
            body: .webSocket { socket in
                while let message = await socket.receive(), await socket.send(text: message) {}
            })
    }

    /// A masked client frame.
    private func frame(_ opcode: UInt8, _ payload: [UInt8], final: Bool = true) -> [UInt8] {
        let mask: [UInt8] = [1, 2, 3, 4]
        var bytes: [UInt8] = [(final ? 0x80 : 0) | opcode]
        if payload.count < 126 {
            bytes.append(0x80 | UInt8(payload.count))
        } else if payload.count < 65536 {
            bytes += [0x80 | 126, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
        } else {
            bytes += [0x80 | 127] + (0..<8).map { UInt8(truncatingIfNeeded: payload.count >> (56 - 8 * $0)) }
        }
        return bytes + mask + payload.enumerated().map { $1 ^ mask[$0 % 4] }
    }

    private func open(_ port: Int) throws -> TestClient {
        let client = try TestClient(port: port)
        try client.send(Self.handshake)
        let head = try client.read(until: "\r\n\r\n")
        try #require(head.hasPrefix("HTTP/1.1 101 Switching Protocols\r\n"))
        // RFC 6455 1.3's own example.
        #expect(head.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"))
        return client
    }

    @Test func `Messages go both ways, pings are answered, and closing is mutual`() async throws {
        try await withServer(Self.echo) { port, _ in
            let client = try open(port)
            try client.send(frame(1, Array("hello".utf8)))
            #expect(try client.read(count: 7) == [0x81, 5] + Array("hello".utf8))
            try client.send(frame(9, [7]))
            #expect(try client.read(count: 3) == [0x8a, 1, 7])
            try client.send(frame(1, Array("he".utf8), final: false) + frame(0, Array("y".utf8)))
            #expect(try client.read(count: 5) == [0x81, 3] + Array("hey".utf8))
            try client.send(frame(8, [0x03, 0xe8]))
            #expect(try client.read(count: 4) == [0x88, 2, 0x03, 0xe8])
            #expect(try client.readToEnd() == "")
        }
    }

    @Test func `Frames that come with the handshake are not lost`() async throws {
        try await withServer(Self.echo) { port, _ in
            let client = try TestClient(port: port)
            try client.send(Array(Self.handshake.utf8) + frame(1, [0x61]))
            _ = try client.read(until: "\r\n\r\n")
            #expect(try client.read(count: 3) == [0x81, 1, 0x61])
        }
    }

    // Both found by `make fuzz TARGET=websocket`: a server that asks a database before it accepts is slow to accept.
    @Test func `A client that ends while it is being accepted is gone`() async throws {
        let log = Journal()
        try await withServer({ _ in
            try? await EventLoop.sleep(for: .milliseconds(20))
            return Response(101, body: .webSocket { log.lines.append(await $0.receive() == nil ? "gone" : "message") })
        }) { port, _ in
            let client = try TestClient(port: port)
            try client.send(Self.handshake)
            client.finish()
            #expect(try client.readToEnd().hasPrefix("HTTP/1.1 101 "))
            #expect(try await onLoop { log.lines } == ["gone"])
        }
    }

    @Test func `A client that sends much while it is being accepted is read on`() async throws {
        try await withServer({ request in
            try? await EventLoop.sleep(for: .milliseconds(20))
            return await Self.echo(request)
        }) { port, _ in
            let client = try TestClient(port: port)
            // More than is read ahead, and nothing of it for the handler.
            let pongs = (0..<1500).flatMap { _ in frame(10, [UInt8](repeating: 0, count: 100)) }
            try client.send(Array(Self.handshake.utf8) + pongs + frame(1, [0x61]))
            _ = try client.read(until: "\r\n\r\n")
            #expect(try client.read(count: 3) == [0x81, 1, 0x61])
        }
    }

    @Test(
        arguments: [
            ([0x81, 0x01, 0x61], 1002), ([0xc1, 0x80, 0, 0, 0, 0], 1002), ([0x83, 0x80, 0, 0, 0, 0], 1002),
            ([0x81, 0x81, 0, 0, 0, 0, 0xff], 1007),
        ] as [([UInt8], Int)])
    func `A broken frame closes the socket with its code`(_ bytes: [UInt8], _ code: Int) async throws {
        try await withServer(Self.echo) { port, server in
            let client = try open(port)
            try client.send(bytes)
            let close = try client.read(count: 4)
            #expect(close[0] == 0x88)
            #expect(Int(close[2]) << 8 | Int(close[3]) == code)
        }
    }

    @Test func `A message beyond the limit closes the socket`() async throws {
        try await withServer(Self.echo) { port, _ in
            let client = try open(port)
            try client.send(frame(1, [UInt8](repeating: 0x61, count: 65536)))
            #expect(try client.read(count: 10).prefix(2) == [0x81, 127])
            _ = try client.read(count: 65536)
            try client.send(frame(1, [UInt8](repeating: 0x61, count: 65537)))
            let close = try client.read(count: 4)
            #expect(Int(close[2]) << 8 | Int(close[3]) == 1009)
        }
    }

    @Test(arguments: [
        ("Upgrade: websocket\r\n", 400), ("Sec-WebSocket-Version: 13\r\n", 426), ("dGhlIHNhbXBsZSBub25jZQ==", 400),
        ("keep-alive, Upgrade", 400),
    ])
    func `A handshake that lacks something is refused`(_ missing: String, _ status: Int) async throws {
        try await withServer(Self.echo) { port, _ in
            let client = try TestClient(port: port)
            let parts = Self.handshake.split(separator: missing, maxSplits: 1)
            try client.send(parts.joined(separator: missing.hasSuffix("\r\n") ? "" : "x"))
            #expect(try client.answer().head.hasPrefix("HTTP/1.1 \(status) "))
        }
    }

    @Test func `A peer that goes away ends receive, and one that is silent is noticed`() async throws {
        let log = Journal()
        try await withServer(
            { $0.heartbeat = .milliseconds(10) },
            { _ in
                Response(
                    101,
                    body: .webSocket { socket in
                        log.lines.append(await socket.receive() == nil ? "gone" : "message")
                    })
            }
        ) { port, server in
            // The client reads nothing and answers no ping.
            let client = try open(port)
            try await onLoop { while log.lines.isEmpty { try await EventLoop.sleep(for: .milliseconds(1)) } }
            #expect(try await onLoop { log.lines } == ["gone"])
            _ = try client.readToEnd()
        }
    }

    @Test func `Draining says goodbye with 1001`() async throws {
        try await withServer(Self.echo) { port, server in
            let client = try open(port)
            let drain = EventLoop.spawn { await server.drain(within: .seconds(5)) }
            #expect(try client.read(count: 4) == [0x88, 2, 0x03, 0xe9])
            try client.send(frame(8, [0x03, 0xe9]))
            #expect(try client.readToEnd() == "")
            try await drain.value
        }
    }

    @Test func `A reader that is slow is not flooded`() async throws {
        try await withServer({ _ in
            Response(
                101,
                body: .webSocket { socket in
                    var count = 0
                    while let message = await socket.receive() {
                        await Task.yield()
                        count += message.count
                        if count == 200 * 60_000 { _ = await socket.send(text: Array("all".utf8)) }
                    }
                })
        }) { port, _ in
            let client = try open(port)
            let message = frame(2, [UInt8](repeating: 0, count: 60_000))
            for _ in 0..<200 { try client.send(message) }
            #expect(try client.read(count: 5) == [0x81, 3] + Array("all".utf8))
        }
    }
}

@LoopActor final class Journal {
    nonisolated init() {}
    var lines: [String] = []
}
