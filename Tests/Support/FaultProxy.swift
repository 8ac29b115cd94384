import Glibc
import Synchronization

/// Stands between us and a server, so that a test can take the server away and bring it back.
package final class FaultProxy: Sendable {
    package let port: Int
    private let target: (host: String, port: Int)
    private let state = Mutex(State())

    private struct State {
        var isCut = false
        var isSilent = false
        var links: [ObjectIdentifier: Link] = [:]
    }

    /// Two sockets that are closed when nobody uses either any more: a number that is closed while the other
    /// direction's thread still shuts it down is by then somebody else's socket.
    private final class Link: Sendable {
        let client, server: Int32

        init(_ client: Int32, _ server: Int32) {
            self.client = client
            self.server = server
        }

        func end() {
            shutdown(client, Int32(SHUT_RDWR))
            shutdown(server, Int32(SHUT_RDWR))
        }

        deinit {
            close(client)
            close(server)
        }
    }

    /// Listens on a free port of 127.0.0.1 and forwards to `host` and `port`.
    package init(host: String, port target: Int) {
        self.target = (host, target)
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.address("127.0.0.1", 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = bind(listener, $0, length)
                _ = listen(listener, 64)
                _ = getsockname(listener, $0, &length)
            }
        }
        port = Int(UInt16(bigEndian: address.sin_port))
        Self.inThread { [self] in
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0 else { continue }
                guard let server = connect() else {
                    close(client)
                    continue
                }
                let link = Link(client, server)
                let isCut = state.withLock { state in
                    state.links[ObjectIdentifier(link)] = link
                    return state.isCut
                }
                if isCut { link.end() }
                Self.inThread { self.pump(link, from: client, to: server) }
                Self.inThread { self.pump(link, from: server, to: client) }
            }
        }
    }

    /// The server is gone: open connections end, new ones are closed at once.
    package func cut() {
        state.withLock { state in
            state.isCut = true
            for link in state.links.values { link.end() }
        }
    }

    /// The server hangs: what is sent and who connects is accepted, and nothing is answered.
    package func silence() { state.withLock { $0.isSilent = true } }

    /// The server is back. Connections that were opened or used in silence stay silent, as those of a hung server do.
    package func mend() {
        state.withLock { state in
            state.isCut = false
            state.isSilent = false
        }
    }

    private func connect() -> Int32? {
        let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.address(target.host, target.port)
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else {
            close(server)
            return nil
        }
        return server
    }

    private func pump(_ link: Link, from source: Int32, to target: Int32) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        copying: while true {
            let count = read(source, &buffer, buffer.count)
            guard count > 0 else { break }
            if state.withLock({ $0.isSilent }) { continue }
            var sent = 0
            while sent < count {
                let more = buffer[sent..<count].withUnsafeBytes { send(target, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
                guard more > 0 else { break copying }
                sent += more
            }
        }
        // The other direction's thread sees the end, too.
        link.end()
        state.withLock { _ = $0.links.removeValue(forKey: ObjectIdentifier(link)) }
    }

    private static func address(_ host: String, _ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(clamping: port).bigEndian
        address.sin_addr.s_addr = inet_addr(host)
        return address
    }

    private static func inThread(_ body: @escaping @Sendable () -> Void) {
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
}
