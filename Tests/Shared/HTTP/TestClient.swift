import Glibc
import HTTP
import Loop
import TestSupport
import Testing

/// A server for one test, on a port of its own, and drained behind it.
func withServer<T: Sendable>(
    _ configure: (inout HTTPServer.Configuration) -> Void,
    _ handler: @escaping HTTPServer.Handler, _ body: (Int, HTTPServer) async throws -> T
) async throws -> T {
    var configuration = HTTPServer.Configuration()
    configure(&configuration)
    let settled = configuration
    let server = try await onLoop {
        try HTTPServer(host: "127.0.0.1", port: 0, configuration: settled, handler: handler)
    }
    do {
        let result = try await body(server.boundPort, server)
        try await onLoop { await server.drain(within: .milliseconds(50)) }
        return result
    } catch {
        try await onLoop { await server.drain(within: .milliseconds(50)) }
        throw error
    }
}

func withServer<T: Sendable>(
    _ handler: @escaping HTTPServer.Handler, _ body: (Int, HTTPServer) async throws -> T
) async throws -> T {
    try await withServer({ _ in }, handler, body)
}

/// A blocking client that sends exactly the bytes it is told to, and gives up after some seconds.
final class TestClient {
    private let fd: Int32
    private(set) var received: [UInt8] = []

    init(port: Int, receiveBuffer: Int32? = nil) throws {
        fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var limit = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        if var size = receiveBuffer { setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, 4) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        inet_pton(AF_INET, "127.0.0.1", &address.sin_addr)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(fd, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw Refused() }
    }

    struct Refused: Error {}

    deinit { close(fd) }

    func send(_ text: String) throws { try send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes { Glibc.send(fd, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            try #require(sent > 0)
            rest = rest.dropFirst(sent)
        }
    }

    /// The sending half only.
    func finish() { shutdown(fd, Int32(SHUT_WR)) }

    /// Reads until `text` has come and returns everything up to its end.
    func read(until text: String) throws -> String {
        let wanted = Array(text.utf8)
        while true {
            if let end = received.firstRange(of: wanted)?.upperBound {
                let result = String(decoding: received[..<end], as: UTF8.self)
                received.removeFirst(end)
                return result
            }
            try #require(try receive(), "the connection ended or nothing came")
        }
    }

    func read(count: Int) throws -> [UInt8] {
        while received.count < count { try #require(try receive(), "the connection ended or nothing came") }
        let result = Array(received.prefix(count))
        received.removeFirst(count)
        return result
    }

    /// Reads what comes until the server closes.
    func readToEnd() throws -> String {
        while try receive() {}
        defer { received = [] }
        return String(decoding: received, as: UTF8.self)
    }

    /// One answer: its head, and its body by `Content-Length`.
    func answer() throws -> (head: String, body: String) {
        let head = try read(until: "\r\n\r\n")
        let marker = "Content-Length: "
        guard let line = head.split(separator: "\r\n").first(where: { $0.hasPrefix(marker) }),
            let count = Int(line.dropFirst(marker.count))
        else { return (head, "") }
        return (head, String(decoding: try read(count: count), as: UTF8.self))
    }

    /// False at the end of the stream.
    private func receive() throws -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = recv(fd, &buffer, buffer.count, 0)
        if count < 0 { try #require(errno == ECONNRESET, "nothing came in time") }
        guard count > 0 else { return false }
        received.append(contentsOf: buffer[..<count])
        return true
    }
}
