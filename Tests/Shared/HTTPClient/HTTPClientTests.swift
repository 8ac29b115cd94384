import Glibc
import HTTPClient
import Loop
import Synchronization
import TestSupport
import Testing

/// Against a server of a few lines on a thread of its own that answers by script.
struct HTTPClientTests {
    @Test func `Status, headers and body arrive, and what we send arrives there`() async throws {
        let server = Script { request in
            "HTTP/1.1 201 Created\r\nX-Seen:  yes \r\nContent-Length: \(request.utf8.count)\r\n\r\n" + request
        }
        try await onLoop {
            let answer = try await HTTPClient().request(
                "POST", server.url + "/cards?x=1", headers: [("Authorization", "Bearer t"), ("Content-Type", "application/json")],
                body: Array("{}".utf8))
            #expect(answer.status == 201)
            #expect(answer.header("x-seen") == "yes")
            let seen = String(decoding: answer.body, as: UTF8.self)
            #expect(seen.hasPrefix("POST /cards?x=1 HTTP/1.1\r\n"))
            #expect(seen.contains("\r\nAuthorization: Bearer t\r\n"))
            #expect(seen.hasSuffix("\r\n\r\n{}"))
            #expect(!seen.contains("Expect"))
        }
    }

    @Test func `A second request uses the same connection`() async throws {
        let server = Script { _ in "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" }
        try await onLoop {
            let client = HTTPClient()
            for _ in 0..<5 {
                let answer = try await client.request("GET", server.url)
                #expect(answer.status == 200)
            }
        }
        #expect(server.connections == 1)
    }

    @Test func `A redirect is an answer like any other`() async throws {
        let server = Script { _ in "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n" }
        let status = try await onLoop { try await HTTPClient().request("GET", server.url).status }
        #expect(status == 302)
    }

    @Test func `A server that never answers costs the deadline and no more`() async throws {
        let server = Script { _ in nil }
        try await onLoop {
            let start = ContinuousClock.now
            await #expect(throws: HTTPClient.Failure.timeout) {
                try await HTTPClient().request("GET", server.url, deadline: .milliseconds(200))
            }
            #expect(ContinuousClock.now - start < .seconds(1))
        }
    }

    @Test func `Nobody listening is a failure at once`() async throws {
        try await onLoop {
            await #expect(throws: HTTPClient.Failure.self) {
                try await HTTPClient().request("GET", "http://127.0.0.1:1/")
            }
            return
        }
    }

    @Test func `More than a megabyte is refused`() async throws {
        let server = Script { _ in
            "HTTP/1.1 200 OK\r\nContent-Length: 1100000\r\n\r\n" + String(repeating: "x", count: 1_100_000)
        }
        try await onLoop {
            await #expect(throws: HTTPClient.Failure.tooLarge) {
                try await HTTPClient().request("GET", server.url)
            }
            return
        }
    }

    @Test func `Other schemes and smuggled header lines are refused before anything is sent`() async throws {
        try await onLoop {
            let client = HTTPClient()
            for url in ["file:///etc/passwd", "gopher://127.0.0.1/", "http://127.0.0.1/\r\nX: y", ""] {
                await #expect(throws: HTTPClient.Failure.invalid) { try await client.request("GET", url) }
            }
            await #expect(throws: HTTPClient.Failure.invalid) {
                try await client.request("GET", "http://127.0.0.1/", headers: [("X", "a\r\nY: b")])
            }
        }
    }

    @Test func `A cancelled request ends at once`() async throws {
        let server = Script { _ in nil }
        try await onLoop {
            let client = HTTPClient()
            let task = EventLoop.spawn { try await client.request("GET", server.url, deadline: .seconds(30)).status }
            try await EventLoop.sleep(for: .milliseconds(50))
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
        }
    }

    @Test func `Fifty at once all get their own answer`() async throws {
        let server = Script { request in
            let path = request.split(separator: " ").dropFirst().first.map(String.init) ?? ""
            return "HTTP/1.1 200 OK\r\nContent-Length: \(path.utf8.count)\r\n\r\n" + path
        }
        try await onLoop {
            let client = HTTPClient()
            let tasks = (0..<50).map { number in
                EventLoop.spawn { String(decoding: try await client.request("GET", server.url + "/\(number)").body, as: UTF8.self) }
            }
            for (number, task) in tasks.enumerated() {
                let answer = try await task.value
                #expect(answer == "/\(number)")
            }
        }
    }
}

/// Accepts connections and answers each request with what `answer` says; nil leaves it waiting.
private final class Script: Sendable {
    let url: String
    private let accepted = Atomic<Int>(0)
    var connections: Int { accepted.load(ordering: .acquiring) }

    init(_ answer: @escaping @Sendable (String) -> String?) {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = bind(listener, $0, length)
                _ = listen(listener, 64)
                _ = getsockname(listener, $0, &length)
            }
        }
        url = "http://127.0.0.1:\(UInt16(bigEndian: address.sin_port))"
        inThread { [self] in
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { return }
                accepted.add(1, ordering: .acquiringAndReleasing)
                inThread { Self.serve(connection, answer) }
            }
        }
    }

    private static func serve(_ connection: Int32, _ answer: (String) -> String?) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(connection, &buffer, buffer.count)
            guard count > 0 else { break }
            guard let text = answer(String(decoding: buffer[0..<count], as: UTF8.self)) else { continue }
            var rest = Array(text.utf8)[...]
            while !rest.isEmpty {
                let sent = rest.withUnsafeBytes { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
                guard sent > 0 else { break }
                rest = rest.dropFirst(sent)
            }
        }
        close(connection)
    }
}

private func inThread(_ body: @escaping @Sendable () -> Void) {
    final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    pthread_create(
        &thread, nil,
        { argument in
            guard let argument else { return nil }
            Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body()
            return nil
        }, Unmanaged.passRetained(Box(body)).toOpaque())
    pthread_detach(thread)
}
