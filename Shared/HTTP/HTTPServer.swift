import CLinux
import Glibc
import Loop

/// Accepts connections on one address and hands their requests to one handler.
///
/// Several processes may listen on the same port (`SO_REUSEPORT`); the kernel spreads connections over them.
@LoopActor package final class HTTPServer {
    package typealias Handler = @LoopActor @Sendable (Request) async -> Response

    package struct Configuration: Sendable {
        /// One more is answered 503 and closed.
        package var connectionLimit = 12_000
        package var limits = HTTPParser.Limits()
        /// From a request's first byte to the end of its head, in total.
        package var headerDeadline = Duration.seconds(10)
        /// From the end of the head to the end of the body, in total.
        package var bodyDeadline = Duration.seconds(30)
        /// How long a connection may stay without a request.
        package var idleDeadline = Duration.seconds(75)
        /// How long a client may take nothing of an answer that is ready for it.
        package var writeDeadline = Duration.seconds(30)
        /// What may wait for a client that reads slowly before a stream or socket is closed, in bytes.
        package var backlog = 256 * 1024
        /// How often a silent event stream or WebSocket shows that it lives.
        package var heartbeat = Duration.seconds(15)
        package var webSocketMessage = 64 * 1024
        /// Whose `X-Forwarded-For` is believed.
        package var trustedProxies: [AddressBlock] = [AddressBlock("127.0.0.0/8"), AddressBlock("::1")].compactMap { $0 }
        package init() {}
    }

    /// The address could not be listened on.
    package struct ListenError: Error, CustomStringConvertible {
        package let description: String
    }

    package let boundPort: Int
    let configuration: Configuration
    let handler: Handler
    private let listener: Listener
    private var connections: [Int32: HTTPConnection] = [:]
    private var drained: UnsafeContinuation<Void, Never>?
    private(set) var isDraining = false

    /// Listens from now on. `host` is a numeric IPv4 or IPv6 address or `localhost`; port 0 is any free one.
    package init(
        host: String, port: Int, configuration: Configuration = Configuration(), handler: @escaping Handler
    ) throws(ListenError) {
        let socket = try ListeningSocket.open(host: host, port: port)
        self.configuration = configuration
        self.handler = handler
        boundPort = socket.port
        listener = Listener(fd: socket.fd)
        listener.server = self
        EventLoop.shared.register(listener, events: EventLoop.readable)
    }

    package var connectionCount: Int { connections.count }

    /// Accepts no more, lets requests in flight finish, closes idle connections, ends streams; returns when the
    /// last connection is gone, or has been cut after `limit`.
    package func drain(within limit: Duration = .seconds(15)) async {
        guard !isDraining else { return }
        isDraining = true
        listener.close()
        for connection in connections.values { connection.drain() }
        guard !connections.isEmpty else { return }
        let timer = EventLoop.shared.after(limit) {
            for connection in self.connections.values { connection.close() }
        }
        await withUnsafeContinuation { drained = $0 }
        EventLoop.shared.cancelTimer(timer)
    }

    func adopt(_ fd: Int32, _ peer: Peer) {
        guard connections.count < configuration.connectionLimit else {
            HTTPConnection.turnAway(fd)
            return
        }
        let connection = HTTPConnection(fd: fd, peer: peer, server: self)
        guard EventLoop.shared.register(connection, events: EventLoop.readable) else {
            Glibc.close(fd)
            return
        }
        connections[fd] = connection
        connection.start()
    }

    func forget(_ connection: HTTPConnection) {
        connections[connection.fd] = nil
        if isDraining, connections.isEmpty {
            drained?.resume()
            drained = nil
        }
    }
}

/// The socket that new connections come from.
@LoopActor private final class Listener: Channel {
    weak var server: HTTPServer?
    private var isClosed = false

    override func onEvent(_ events: UInt32) {
        // Bounded, so that a flood of connections does not starve the requests of those that are in.
        for _ in 0..<64 {
            var address = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let accepted = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    accept4(fd, $0, &length, Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue))
                }
            }
            guard accepted >= 0 else { return refused(errno) }
            guard let server else {
                Glibc.close(accepted)
                return
            }
            server.adopt(accepted, Peer(address))
        }
    }

    /// Out of descriptors or memory, the backlog would wake us for nothing: look again a little later.
    private func refused(_ error: Int32) {
        guard error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS else { return }
        EventLoop.shared.modify(self, events: 0)
        EventLoop.shared.after(.milliseconds(100)) {
            if !self.isClosed { EventLoop.shared.modify(self, events: EventLoop.readable) }
        }
    }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        EventLoop.shared.unregister(self)
        Glibc.close(fd)
    }
}
