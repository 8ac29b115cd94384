import Loop

/// The writing end of a server-sent event stream.
///
/// A client that does not read makes `send` wait; when too much waits for it, or nothing moves for the write
/// deadline, it is cut off: it will reconnect and say `Last-Event-ID`.
@LoopActor package final class EventStream {
    private let connection: HTTPConnection
    private var isStopped = false
    private var hasSent = false
    private var heartbeat: UInt64 = 0
    private var waiting: [UnsafeContinuation<Void, Never>] = []
    private var task: LoopTask<Void>?

    private init(_ connection: HTTPConnection) { self.connection = connection }

    /// Whether it makes sense to go on: the client is there and the server is not draining.
    package var isOpen: Bool { !isStopped && connection.isOpen }

    /// False when the client has gone; then the closure should return. The closure's task is cancelled too.
    package func send(event: String? = nil, id: String? = nil, data: [UInt8]) async -> Bool {
        guard isOpen else { return false }
        write(Self.encoded(event: event, id: id, data: data))
        hasSent = true
        guard connection.pendingCount <= connection.server.configuration.backlog else {
            connection.close()
            return false
        }
        if connection.pendingCount > 0 { await withUnsafeContinuation { waiting.append($0) } }
        return isOpen
    }

    /// Fields may not hold line ends; data of several lines becomes several `data:` fields, which clients join again.
    nonisolated static func encoded(event: String?, id: String?, data: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(data.count + 64)
        func field(_ name: StaticString, _ value: String) {
            text.append(name)
            text.append(contentsOf: value.utf8.filter { $0 >= 0x20 })
            text.append("\n")
        }
        if let event { field("event: ", event) }
        if let id { field("id: ", id) }
        for line in data.split(separator: 0x0a, omittingEmptySubsequences: false) {
            text.append("data: ")
            text.append(contentsOf: line.lazy.filter { $0 != 0x0d })
            text.append("\n")
        }
        text.append("\n")
        return text
    }

    // MARK: for the connection

    static func start(
        _ response: Response, on connection: HTTPConnection,
        _ run: @escaping @LoopActor @Sendable (EventStream) async -> Void
    ) {
        var headers = [
            ("Content-Type", "text/event-stream"), ("Cache-Control", "no-store"), ("X-Accel-Buffering", "no"),
        ]
        if connection.exchange.isOldVersion {
            connection.closesAfterExchange()
        } else {
            headers.append(("Transfer-Encoding", "chunked"))
        }
        ResponseWriter.writeHead(response, headers, to: connection)
        guard connection.isOpen else { return }
        guard !connection.exchange.isHead else { return connection.finish() }
        let stream = EventStream(connection)
        connection.phase = .streaming(stream)
        stream.beat()
        stream.task = EventLoop.spawn {
            await run(stream)
            stream.finish()
        }
        if connection.server.isDraining { stream.stop() }
    }

    /// Ends the closure: the server drains.
    func stop() {
        isStopped = true
        task?.cancel()
        written()
    }

    /// Everything has left; senders may go on.
    func written() {
        let resumed = waiting
        waiting = []
        for continuation in resumed { continuation.resume() }
    }

    func connectionClosed() {
        EventLoop.shared.cancelTimer(heartbeat)
        stop()
    }

    private func finish() {
        EventLoop.shared.cancelTimer(heartbeat)
        isStopped = true
        guard connection.isOpen else { return }
        if !connection.exchange.isOldVersion { connection.send(Array("0\r\n\r\n".utf8)) }
        connection.phase = .handling
        connection.finish()
    }

    /// A comment now and then, so that proxies and both ends notice a dead connection.
    private func beat() {
        heartbeat = EventLoop.shared.after(connection.server.configuration.heartbeat) {
            guard self.isOpen else { return }
            if !self.hasSent, self.connection.pendingCount == 0 { self.write(Array(":\n\n".utf8)) }
            self.hasSent = false
            self.beat()
        }
    }

    private func write(_ bytes: [UInt8]) {
        guard !connection.exchange.isOldVersion else { return connection.send(bytes) }
        var chunk: [UInt8] = []
        chunk.reserveCapacity(bytes.count + 16)
        chunk.append(hexadecimal: bytes.count)
        chunk.append("\r\n")
        chunk.append(contentsOf: bytes)
        chunk.append("\r\n")
        connection.send(chunk)
    }
}
