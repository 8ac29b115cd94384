import CLinux
import Glibc
import Loop

/// One client's connection: reads requests one after another, lets the handler answer, writes the answers.
///
/// At most one request is with the handler at a time; pipelined ones wait unread, so answers keep their order and
/// a client that sends faster than it reads is slowed down instead of filling memory.
@LoopActor final class HTTPConnection: Channel {
    enum Phase {
        case reading
        case handling
        case streaming(EventStream)
        case webSocket(WebSocket)
        /// Answered for the last time; what still comes is thrown away so that the answer is not lost to a reset.
        case lingering
        case closed
    }

    enum Wait { case nothing, idle, head, body, write, linger }

    let server: HTTPServer
    private let peer: Peer
    var phase = Phase.reading
    private var parser: HTTPParser
    /// Read from the socket and not understood yet.
    private var unread: [UInt8] = []
    /// The peer will send no more.
    private var peerEnded = false
    private var interest = EventLoop.readable

    /// Of the request at hand.
    private(set) var exchange = HTTPExchange()

    /// Written but not taken by the socket yet.
    private var pending: [UInt8] = []
    private var pendingStart = 0
    /// What to do once everything is written.
    private var afterWrite: (@LoopActor () -> Void)?

    private var wait = Wait.nothing
    private var deadline = Int.max
    private var timer: UInt64?
    private var timerDeadline = Int.max

    init(fd: Int32, peer: Peer, server: HTTPServer) {
        self.peer = peer
        self.server = server
        parser = HTTPParser(limits: server.configuration.limits)
        super.init(fd: fd)
    }

    func start() { expect(.head, server.configuration.headerDeadline) }

    var isOpen: Bool { if case .closed = phase { false } else { true } }
    var pendingCount: Int { pending.count - pendingStart }

    override func onEvent(_ events: UInt32) {
        if events & (EventLoop.failed | EventLoop.hungUp) != 0 { return close() }
        if events & EventLoop.writable != 0 { writePending() }
        if events & EventLoop.readable != 0, isOpen { receive() }
    }

    // MARK: reading

    private func receive() {
        let buffer = ReadBuffer.shared
        let count = recv(fd, buffer.baseAddress, buffer.count, 0)
        if count < 0 {
            if errno != EAGAIN && errno != EINTR { close() }
            return
        }
        if count == 0 { return end() }
        let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
        switch phase {
        case .reading: understand(bytes)
        case .handling:
            unread.append(contentsOf: bytes)
            // More than one request ahead is enough; the kernel keeps the rest.
            if unread.count > ReadBuffer.size { watch(reading: false) }
        case .webSocket(let socket): socket.received(bytes)
        case .streaming, .lingering, .closed: return
        }
    }

    private func understand(_ bytes: UnsafeRawBufferPointer) {
        if unread.isEmpty {
            let consumed = parse(bytes)
            if isOpen, consumed < bytes.count { unread.append(contentsOf: bytes[consumed...]) }
        } else {
            // Taken out, because parsing may close the connection or start a request that reads on.
            var all = unread
            unread = []
            all.append(contentsOf: bytes)
            let consumed = all.withUnsafeBytes { parse($0) }
            if isOpen, consumed < all.count { unread = Array(all[consumed...]) }
        }
        if case .reading = phase { awaitRest() }
    }

    /// Understands up to one request and returns how many bytes that took.
    private func parse(_ bytes: UnsafeRawBufferPointer) -> Int {
        var at = 0
        while case .reading = phase {
            let (consumed, event) = parser.parse(UnsafeRawBufferPointer(rebasing: bytes[at...]))
            at += consumed
            switch event {
            case .needsMore: return at
            case .expectsContinue:
                send(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8))
                return at
            case .message(let message): handle(message)
            case .refused(let refusal): refuse(refusal)
            }
        }
        return at
    }

    /// Sets the deadline that fits what has come so far. It is for the whole head or body, so it is not renewed.
    private func awaitRest() {
        if parser.isInBody {
            if wait != .body { expect(.body, server.configuration.bodyDeadline) }
        } else if !unread.isEmpty {
            if wait != .head { expect(.head, server.configuration.headerDeadline) }
        }
    }

    private func end() {
        switch phase {
        case .handling:
            // Perhaps only its sending half is closed, and it waits for the answer.
            peerEnded = true
            watch(reading: false)
        default: close()
        }
    }

    // MARK: answering

    private func handle(_ message: HTTPMessage) {
        phase = .handling
        wait = .nothing
        deadline = .max
        exchange = HTTPExchange(message)
        let headers = message.headers
        let traceparent = headers.first { $0.name == "traceparent" }?.value
        let forwarded = headers.first { $0.name == "x-forwarded-for" }?.value
        let request = Request(
            method: message.method, path: message.path, headers: headers, bytes: message.body,
            queryString: message.query, traceparent: TraceContext.next(after: traceparent),
            remoteAddress: peer.client(forwardedFor: forwarded, trusting: server.configuration.trustedProxies))
        EventLoop.spawn {
            let response = await self.server.handler(request)
            self.answer(response, to: request)
        }
    }

    private func answer(_ response: Response, to request: Request) {
        guard case .handling = phase else { return }
        switch response.body {
        case .bytes(let body):
            exchange.keepsAlive = exchange.keepsAlive && !server.isDraining
            ResponseWriter.write(response, body, to: self)
            if isOpen { finish() }
        case .events(let run):
            exchange.keepsAlive = exchange.keepsAlive && !server.isDraining
            EventStream.start(response, on: self, run)
        case .webSocket(let run):
            if let refusal = WebSocket.start(response, request, on: self, leftover: unread, run) {
                answer(refusal, to: request)
            } else {
                unread = []
                // Its end came while the handshake was being answered, so nobody would hear of it again.
                if peerEnded { close() }
            }
        }
    }

    private func refuse(_ refusal: HTTPRefusal) {
        phase = .handling
        exchange.keepsAlive = false
        let trace = TraceContext.next(after: nil).dropFirst(3).prefix(32)
        let problem = Problem(refusal.status, refusal.code, refusal.detail)
        let response = Response.problem(problem, traceID: String(trace))
        guard case .bytes(let body) = response.body else { return close() }
        ResponseWriter.write(response, body, to: self)
        if isOpen { whenWritten { self.linger() } }
    }

    /// The answer is complete: on to the next request, or goodbye.
    func finish() {
        let goesOn = exchange.keepsAlive
        whenWritten {
            guard goesOn else { return self.unread.isEmpty ? self.close() : self.linger() }
            self.phase = .reading
            self.expect(.idle, self.server.configuration.idleDeadline)
            if !self.unread.isEmpty { self.understand(UnsafeRawBufferPointer(start: nil, count: 0)) }
            guard case .reading = self.phase else { return }
            if self.peerEnded || (self.server.isDraining && self.unread.isEmpty) { return self.close() }
            self.watch(reading: true)
        }
    }

    /// The end of this answer can only be said by closing.
    func closesAfterExchange() { exchange.keepsAlive = false }

    func closeWhenWritten() { whenWritten { self.close() } }

    /// RFC 9112 9.6: closing with unread bytes would reset the connection and lose the answer.
    private func linger() {
        guard !peerEnded, shutdown(fd, Int32(SHUT_WR)) == 0 else { return close() }
        phase = .lingering
        unread = []
        expect(.linger, .seconds(2))
        watch(reading: true)
    }

    // MARK: writing

    func send(_ bytes: [UInt8], more: Bool = false) {
        bytes.withUnsafeBytes { send($0, more: more) }
    }

    func send(_ bytes: UnsafeRawBufferPointer, more: Bool = false) {
        guard isOpen, !bytes.isEmpty else { return }
        guard pendingCount == 0 else { return pending.append(contentsOf: bytes) }
        let flags = Int32(MSG_NOSIGNAL) | (more ? Int32(MSG_MORE) : 0)
        let sent = Glibc.send(fd, bytes.baseAddress, bytes.count, flags)
        guard sent >= 0 || errno == EAGAIN || errno == EINTR else { return close() }
        guard sent < bytes.count else { return }
        pending.append(contentsOf: bytes[max(0, sent)...])
        watch(writing: true)
        expect(.write, server.configuration.writeDeadline)
    }

    private func writePending() {
        let sent = pending.withUnsafeBytes { all in
            let rest = UnsafeRawBufferPointer(rebasing: all[pendingStart...])
            return Glibc.send(fd, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
        }
        guard sent >= 0 else {
            if errno != EAGAIN && errno != EINTR { close() }
            return
        }
        pendingStart += sent
        guard pendingCount == 0 else {
            if pendingStart > pending.count / 2 {
                pending.removeFirst(pendingStart)
                pendingStart = 0
            }
            return expect(.write, server.configuration.writeDeadline)
        }
        pending = []
        pendingStart = 0
        watch(writing: false)
        wait = .nothing
        deadline = .max
        written()
    }

    private func whenWritten(_ body: @escaping @LoopActor () -> Void) {
        guard pendingCount > 0 else { return body() }
        afterWrite = body
    }

    private func written() {
        if let body = afterWrite {
            afterWrite = nil
            return body()
        }
        switch phase {
        case .streaming(let stream): stream.written()
        case .webSocket(let socket): socket.written()
        default: return
        }
    }

    func watch(reading: Bool? = nil, writing: Bool? = nil) {
        var wanted = interest
        if let reading { wanted = reading ? wanted | EventLoop.readable : wanted & ~EventLoop.readable }
        if let writing { wanted = writing ? wanted | EventLoop.writable : wanted & ~EventLoop.writable }
        guard wanted != interest, isOpen else { return }
        interest = wanted
        EventLoop.shared.modify(self, events: wanted)
    }

    // MARK: deadlines

    /// One timer serves all deadlines: it is moved only when the new one is earlier, and looks again when it fires.
    func expect(_ wait: Wait, _ duration: Duration) {
        self.wait = wait
        deadline = EventLoop.shared.tickTime &+ duration.nanoseconds
        if deadline < timerDeadline { arm() }
    }

    private func arm() {
        if let timer { EventLoop.shared.cancelTimer(timer) }
        timerDeadline = deadline
        timer = EventLoop.shared.after(.nanoseconds(deadline - EventLoop.shared.tickTime)) {
            self.timer = nil
            self.timerDeadline = .max
            guard self.deadline < .max else { return }
            if EventLoop.shared.tickTime < self.deadline { self.arm() } else { self.expired() }
        }
    }

    private func expired() {
        switch wait {
        case .nothing: return
        case .head where unread.isEmpty: close()
        case .head, .body: refuse(.timedOut)
        case .idle, .write, .linger: close()
        }
    }

    // MARK: the end

    func close() {
        guard isOpen else { return }
        let ended = phase
        phase = .closed
        EventLoop.shared.unregister(self)
        Glibc.close(fd)
        if let timer { EventLoop.shared.cancelTimer(timer) }
        timer = nil
        unread = []
        pending = []
        pendingStart = 0
        afterWrite = nil
        server.forget(self)
        switch ended {
        case .streaming(let stream): stream.connectionClosed()
        case .webSocket(let socket): socket.connectionClosed()
        default: return
        }
    }

    func drain() {
        switch phase {
        case .reading:
            // A request may have arrived already; it is answered with `Connection: close`.
            if unread.isEmpty, !parser.isInBody { receive() }
            if case .reading = phase, unread.isEmpty, !parser.isInBody { close() }
        case .streaming(let stream): stream.stop()
        case .webSocket(let socket): socket.stop()
        case .handling, .lingering, .closed: return
        }
    }

    /// Too many connections: said politely, once, without ever waiting for the client.
    static func turnAway(_ fd: Int32) {
        let text =
            "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"
        _ = Array(text.utf8).withUnsafeBytes { Glibc.send(fd, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        shutdown(fd, Int32(SHUT_WR))
        Glibc.close(fd)
    }
}

/// What must be remembered of a request until its answer is written.
struct HTTPExchange {
    var isHead = false
    var isOldVersion = false
    var keepsAlive = true

    init() {}
    init(_ message: HTTPMessage) {
        isHead = message.method == "HEAD"
        isOldVersion = message.isOldVersion
        keepsAlive = message.keepsAlive
    }
}

/// Every connection reads into the same memory, because only one reads at a time.
@LoopActor enum ReadBuffer {
    nonisolated static let size = 64 * 1024
    static let shared = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
}
