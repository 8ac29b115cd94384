import CWslay
import COpenSSL
import Glibc
import Loop

/// One WebSocket (RFC 6455) after its handshake. wslay does the framing; the connection does the I/O.
@LoopActor package final class WebSocket {
    private let connection: HTTPConnection
    /// Freed in `deinit` only: wslay must not lose it inside one of its own callbacks.
    private nonisolated(unsafe) var context: wslay_event_context_ptr?
    private var input: [UInt8] = []
    private var inputStart = 0
    private var output: [UInt8] = []
    private var messages: [[UInt8]] = []
    private var messageBytes = 0
    private var receivers: [UnsafeContinuation<[UInt8]?, Never>] = []
    private var senders: [UnsafeContinuation<Void, Never>] = []
    private var isClosing = false
    private var missedBeats = 0
    private var heartbeat: UInt64 = 0
    private var task: LoopTask<Void>?

    private init(_ connection: HTTPConnection) {
        self.connection = connection
        var callbacks = WebSocket.callbacks
        wslay_event_context_server_init(&context, &callbacks, Unmanaged.passUnretained(self).toOpaque())
        wslay_event_config_set_max_recv_msg_length(context, UInt64(connection.server.configuration.webSocketMessage))
    }

    deinit { wslay_event_context_free(context) }

    /// Sends one text message, which must be UTF-8. False when the peer has gone. Waits while the peer reads slowly.
    package func send(text: [UInt8]) async -> Bool {
        guard isOpen else { return false }
        queue(opcode: UInt8(WSLAY_TEXT_FRAME.rawValue), text)
        pump()
        guard connection.pendingCount <= connection.server.configuration.backlog else {
            connection.close()
            return false
        }
        if connection.pendingCount > 0 { await withUnsafeContinuation { senders.append($0) } }
        return isOpen
    }

    /// The next text or binary message; nil when the peer closed.
    package func receive() async -> [UInt8]? {
        if !messages.isEmpty {
            let message = messages.removeFirst()
            messageBytes -= max(message.count, 1)
            if isOpen, messageBytes < connection.server.configuration.backlog / 2 { connection.watch(reading: true) }
            return message
        }
        guard isOpen else { return nil }
        return await withUnsafeContinuation { receivers.append($0) }
    }

    /// Starts the closing handshake; a peer that does not answer it is cut off after some seconds.
    package func close(code: Int = 1000) {
        guard isOpen else { return }
        isClosing = true
        wslay_event_queue_close(context, UInt16(clamping: code), nil, 0)
        pump()
        if connection.isOpen {
            connection.watch(reading: true)
            connection.expect(.linger, .seconds(5))
        }
        wakeReceivers()
    }

    package var isOpen: Bool { connection.isOpen && !isClosing }

    // MARK: handshake

    /// Switches protocols and runs `run`, or says why not.
    static func start(
        _ response: Response, _ request: Request, on connection: HTTPConnection, leftover: [UInt8],
        _ run: @escaping @LoopActor @Sendable (WebSocket) async -> Void
    ) -> Response? {
        guard request.header("sec-websocket-version") == "13" else {
            var problem = Problem(426, "upgrade_required", "Open a WebSocket of version 13 here.")
            problem.headers = [("Sec-WebSocket-Version", "13"), ("Upgrade", "websocket")]
            return .problem(problem, traceID: request.traceID)
        }
        guard request.method == "GET", !connection.exchange.isOldVersion, lists(request, "upgrade", "websocket"),
            lists(request, "connection", "upgrade"), let key = request.header("sec-websocket-key"),
            Base64.decoded(key)?.count == 16
        else {
            let problem = Problem(400, "malformed_handshake", "This is no WebSocket handshake.")
            return .problem(problem, traceID: request.traceID)
        }
        var switching = response
        switching.status = 101
        ResponseWriter.writeHead(
            switching, [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", accept(key))],
            to: connection)
        guard connection.isOpen else { return nil }
        let socket = WebSocket(connection)
        connection.phase = .webSocket(socket)
        socket.beat()
        socket.task = EventLoop.spawn {
            await run(socket)
            socket.close()
        }
        if !leftover.isEmpty { leftover.withUnsafeBytes { socket.received($0) } }
        // A client that sent much before it was answered was not read any further.
        if socket.isOpen, socket.messageBytes <= connection.server.configuration.backlog { connection.watch(reading: true) }
        if connection.server.isDraining { socket.stop() }
        return nil
    }

    private static func lists(_ request: Request, _ header: String, _ word: String) -> Bool {
        request.headers.contains { field in
            field.name == header
                && field.value.split(separator: ",").contains { String($0).trimmed.lowercased() == word }
        }
    }

    nonisolated static func accept(_ key: String) -> String {
        let text = Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8)
        var digest = [UInt8](repeating: 0, count: 20)
        SHA1(text, text.count, &digest)
        return Base64.encoded(digest)
    }

    // MARK: for the connection

    func received(_ bytes: UnsafeRawBufferPointer) {
        missedBeats = 0
        input.append(contentsOf: bytes)
        guard wslay_event_recv(context) == 0 else { return connection.close() }
        pump()
        if messageBytes > connection.server.configuration.backlog { connection.watch(reading: false) }
    }

    func written() {
        let resumed = senders
        senders = []
        for continuation in resumed { continuation.resume() }
        if isClosing { connection.expect(.linger, .seconds(5)) }
    }

    /// The server drains: 1001 is "going away".
    func stop() {
        close(code: 1001)
        task?.cancel()
    }

    func connectionClosed() {
        EventLoop.shared.cancelTimer(heartbeat)
        task?.cancel()
        written()
        wakeReceivers()
    }

    private func wakeReceivers() {
        let resumed = receivers
        receivers = []
        for continuation in resumed { continuation.resume(returning: nil) }
    }

    private func beat() {
        heartbeat = EventLoop.shared.after(connection.server.configuration.heartbeat) {
            guard self.isOpen else { return }
            guard self.missedBeats < 2 else { return self.connection.close() }
            self.missedBeats += 1
            self.queue(opcode: UInt8(WSLAY_PING.rawValue), [])
            self.pump()
            self.beat()
        }
    }

    private func queue(opcode: UInt8, _ bytes: [UInt8]) {
        bytes.withUnsafeBufferPointer { buffer in
            var message = wslay_event_msg(opcode: opcode, msg: buffer.baseAddress, msg_length: buffer.count)
            _ = wslay_event_queue_msg(context, &message)
        }
    }

    /// Writes what wslay wants written; closes the connection when the closing handshake is over.
    private func pump() {
        guard connection.isOpen else { return }
        if wslay_event_want_write(context) != 0, wslay_event_send(context) != 0 { return connection.close() }
        if !output.isEmpty {
            let bytes = output
            output.removeAll(keepingCapacity: true)
            connection.send(bytes)
        }
        // Pongs too count: a peer that asks and never reads must not fill memory.
        guard connection.pendingCount <= connection.server.configuration.backlog * 2 else { return connection.close() }
        if wslay_event_get_close_received(context) != 0, !isClosing {
            isClosing = true
            wakeReceivers()
        }
        guard wslay_event_want_read(context) == 0, wslay_event_want_write(context) == 0 else { return }
        connection.closeWhenWritten()
    }

    // MARK: wslay

    private nonisolated static let callbacks = {
        var callbacks = wslay_event_callbacks()
        callbacks.recv_callback = { context, buffer, length, _, user in
            guard let user, let buffer else { return -1 }
            let socket = Unmanaged<WebSocket>.fromOpaque(user).takeUnretainedValue()
            nonisolated(unsafe) let target = UnsafeMutableRawBufferPointer(start: buffer, count: length)
            let count = LoopActor.assumeOnLoop { socket.giveInput(target) }
            if count > 0 { return count }
            wslay_event_set_error(context, Int32(WSLAY_ERR_WOULDBLOCK.rawValue))
            return -1
        }
        callbacks.send_callback = { _, bytes, length, _, user in
            guard let user else { return -1 }
            let socket = Unmanaged<WebSocket>.fromOpaque(user).takeUnretainedValue()
            nonisolated(unsafe) let source = UnsafeBufferPointer(start: bytes, count: length)
            LoopActor.assumeOnLoop { socket.output.append(contentsOf: source) }
            return length
        }
        callbacks.on_msg_recv_callback = { _, argument, user in
            guard let user, let message = argument?.pointee, message.opcode < 8 else { return }
            let socket = Unmanaged<WebSocket>.fromOpaque(user).takeUnretainedValue()
            let bytes = Array(UnsafeBufferPointer(start: message.msg, count: message.msg_length))
            LoopActor.assumeOnLoop { socket.deliver(bytes) }
        }
        return callbacks
    }()

    private func giveInput(_ target: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(target.count, input.count - inputStart)
        target.copyBytes(from: input[inputStart..<inputStart + count])
        inputStart += count
        if inputStart == input.count {
            input.removeAll(keepingCapacity: true)
            inputStart = 0
        }
        return count
    }

    private func deliver(_ message: [UInt8]) {
        guard receivers.isEmpty else { return receivers.removeFirst().resume(returning: message) }
        messages.append(message)
        // An empty message takes memory too.
        messageBytes += max(message.count, 1)
    }
}
