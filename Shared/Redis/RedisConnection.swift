import CLinux
import Glibc
import Loop

/// One session with Redis: connects without blocking, pipelines commands, and is never revived.
@LoopActor final class RedisConnection {
    enum State { case connecting, open, ended }

    /// Commands that were sent in one flight, and the task that waits for all of their replies.
    @LoopActor private final class Flight {
        var replies: [RedisReply] = []
        let count: Int
        let since: Int
        let continuation: UnsafeContinuation<Result<[RedisReply], RedisError>, Never>

        init(_ count: Int, _ continuation: UnsafeContinuation<Result<[RedisReply], RedisError>, Never>) {
            self.count = count
            self.continuation = continuation
            since = EventLoop.shared.tickTime
        }
    }

    private(set) var state = State.connecting
    var onOpen: @LoopActor (RedisConnection) -> Void = { _ in }
    var onEnd: @LoopActor (RedisConnection) -> Void = { _ in }
    /// What arrives unasked on a connection that subscribed.
    var onPush: @LoopActor (RedisReply) -> Void = { _ in }

    private let password: String?
    private let deadline: Duration
    private let reader = RawRedis()
    private var socket: Socket?
    private var output: [UInt8] = []
    private var wantsWrite = false
    private var flights = FIFO<Flight>()
    private var timer: UInt64?

    init(password: String?, deadline: Duration) {
        self.password = password
        self.deadline = deadline
    }

    // MARK: life

    func connect(host: String, port: Int) {
        let fd = Endpoint.connect(host: host, port: port)
        guard fd >= 0 else { return end() }
        let socket = Socket(fd: fd, of: self)
        guard EventLoop.shared.register(socket, events: EventLoop.writable) else {
            Glibc.close(fd)
            return end()
        }
        self.socket = socket
        timer = EventLoop.shared.after(.seconds(2)) { [weak self] in self?.end() }
    }

    /// Ends the session. Flights under way fail.
    func end() { end(overdueSince: .min) }

    private func end(overdueSince limit: Int) {
        guard state != .ended else { return }
        state = .ended
        if let timer { EventLoop.shared.cancelTimer(timer) }
        if let socket {
            EventLoop.shared.unregister(socket)
            Glibc.close(socket.fd)
        }
        socket = nil
        while let flight = flights.popFirst() {
            flight.continuation.resume(returning: .failure(flight.since <= limit ? .timeout : .unavailable))
        }
        onEnd(self)
    }

    fileprivate func onEvent(_ events: UInt32) {
        if state == .open {
            if events & ~EventLoop.writable != 0 { receive() }
            if wantsWrite { write() }
            return
        }
        guard let socket else { return }
        var error: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(socket.fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0, error == 0 else { return end() }
        EventLoop.shared.modify(socket, events: EventLoop.readable)
        if let timer { EventLoop.shared.cancelTimer(timer) }
        timer = nil
        state = .open
        greet()
    }

    private func greet() {
        guard let password, !password.isEmpty else { return onOpen(self) }
        EventLoop.spawn { [self] in
            // A wrong password is retried with backoff, like every other reason not to be connected.
            let replies = try? await send([[Array("AUTH".utf8), Array(password.utf8)]])
            if replies == [.bytes(Array("OK".utf8))] { onOpen(self) } else { end() }
        }
    }

    // MARK: sending

    func send(_ commands: [[[UInt8]]]) async throws -> [RedisReply] {
        guard state == .open, flights.count < 10_000 else { throw RedisError.unavailable }
        let result = await withUnsafeContinuation { continuation in
            flights.append(Flight(commands.count, continuation))
            if timer == nil { arm(deadline) }
            post(commands)
        }
        return try result.get()
    }

    /// Sends commands whose replies, if any, go to `onPush`.
    func post(_ commands: [[[UInt8]]]) {
        for command in commands { append(command) }
        if let socket, !wantsWrite { EventLoop.shared.markDirty(socket) }
    }

    private func append(_ command: [[UInt8]]) {
        output.append(contentsOf: "*\(command.count)\r\n".utf8)
        for argument in command {
            output.append(contentsOf: "$\(argument.count)\r\n".utf8)
            output.append(contentsOf: argument)
            output.append(0x0d)
            output.append(0x0a)
        }
    }

    fileprivate func write() {
        guard let socket, !output.isEmpty else { return }
        let sent = output.withUnsafeBytes { Glibc.send(socket.fd, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        if sent < 0, errno != EAGAIN, errno != EINTR { return end() }
        if sent == output.count {
            output.removeAll(keepingCapacity: true)
        } else if sent > 0 {
            output.removeFirst(sent)
        }
        guard wantsWrite != !output.isEmpty else { return }
        wantsWrite.toggle()
        EventLoop.shared.modify(socket, events: EventLoop.readable | (wantsWrite ? EventLoop.writable : 0))
    }

    // MARK: receiving

    private func receive() {
        guard let socket else { return }
        let count = withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 16) { buffer -> Int in
            let count = recv(socket.fd, buffer.baseAddress, buffer.count, 0)
            guard count > 0 else { return count }
            do {
                try reader.feed(UnsafeRawBufferPointer(rebasing: buffer[0..<count]))
                while state == .open, let reply = try reader.next() { take(reply) }
                return count
            } catch {
                return 0
            }
        }
        if count == 0 || count < 0 && errno != EAGAIN && errno != EINTR { end() }
    }

    private func take(_ reply: RedisReply) {
        guard let flight = flights.first else { return onPush(reply) }
        flight.replies.append(reply)
        guard flight.replies.count == flight.count else { return }
        _ = flights.popFirst()
        flight.continuation.resume(returning: .success(flight.replies))
    }

    // MARK: deadline

    private func arm(_ duration: Duration) {
        timer = EventLoop.shared.after(duration) { [weak self] in self?.checkDeadline() }
    }

    private func checkDeadline() {
        timer = nil
        // The reply may be waiting in the socket while this process was kept from reading it.
        receive()
        guard state == .open, let oldest = flights.first else { return }
        let limit = EventLoop.shared.tickTime - deadline.nanoseconds
        if oldest.since > limit { return arm(.nanoseconds(Int64(oldest.since - limit))) }
        end(overdueSince: limit)
    }
}

@LoopActor private final class Socket: Channel {
    private weak var connection: RedisConnection?

    init(fd: Int32, of connection: RedisConnection) {
        self.connection = connection
        super.init(fd: fd)
    }

    override func onEvent(_ events: UInt32) { connection?.onEvent(events) }
    override func flush() { connection?.write() }
}

/// Starts a connection without waiting for it.
private enum Endpoint {
    /// The descriptor, or -1. `host` is numeric or a unix socket's path.
    static func connect(host: String, port: Int) -> Int32 {
        host.hasPrefix("/") ? connect(path: host) : connect(address: host, port: port)
    }

    private static func connect(address: String, port: Int) -> Int32 {
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(address, String(port), &hints, &list) == 0, let found = list?.pointee else { return -1 }
        defer { freeaddrinfo(list) }
        let fd = open(found.ai_family)
        guard fd >= 0 else { return -1 }
        var on: Int32 = 1
        setsockopt(fd, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, socklen_t(MemoryLayout<Int32>.size))
        return begun(Glibc.connect(fd, found.ai_addr, found.ai_addrlen), fd)
    }

    private static func connect(path: String) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return -1 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let fd = open(AF_UNIX)
        guard fd >= 0 else { return -1 }
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(fd, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        return begun(result, fd)
    }

    private static func open(_ family: Int32) -> Int32 {
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        return socket(family, type, 0)
    }

    private static func begun(_ result: Int32, _ fd: Int32) -> Int32 {
        if result == 0 || errno == EINPROGRESS { return fd }
        close(fd)
        return -1
    }
}
