import Loop

/// Keeps one connection alive: whenever it ends, connects again after a jittered wait, for ever.
@LoopActor final class RedisLine {
    struct Address: Sendable {
        let host: String
        let port: Int
        let password: @Sendable () -> String
        let deadline: Duration
    }

    private let address: Address
    private var backoff = Backoff(to: .seconds(2))
    private var attempts = 0
    private var isRunning = false
    private var openedAt: Int?
    private var session: RedisConnection?

    /// The connection, when it may be used: after the password was accepted.
    private(set) var open: RedisConnection?
    private(set) var reconnects = 0
    var onOpen: @LoopActor (RedisConnection) -> Void = { _ in }
    var onPush: @LoopActor (RedisReply) -> Void = { _ in }

    nonisolated init(_ address: Address) { self.address = address }

    func start() {
        guard !isRunning else { return }
        isRunning = true
        connect()
    }

    func stop() {
        isRunning = false
        session?.end()
    }

    private func connect() {
        if address.host.hasPrefix("/") { return connect(to: address.host) }
        EventLoop.spawn { [weak self, address] in
            let found = try? await Resolver.addresses(of: address.host)
            guard let self else { return }
            guard let found else { return self.retry() }
            self.connect(to: found[self.attempts % found.count])
        }
    }

    private func connect(to host: String) {
        guard isRunning else { return }
        attempts += 1
        let connection = RedisConnection(password: address.password(), deadline: address.deadline)
        connection.onOpen = { [weak self] in self?.opened($0) }
        connection.onPush = { [weak self] in self?.onPush($0) }
        connection.onEnd = { [weak self] _ in self?.ended() }
        session = connection
        connection.connect(host: host, port: address.port)
    }

    private func opened(_ connection: RedisConnection) {
        guard connection.state == .open else { return }
        openedAt = EventLoop.shared.tickTime
        open = connection
        onOpen(connection)
    }

    private func ended() {
        session = nil
        open = nil
        // One that ends as soon as it opens does not count as a success.
        if let openedAt, EventLoop.shared.tickTime - openedAt > 5_000_000_000 { backoff.reset() }
        openedAt = nil
        retry()
    }

    private func retry() {
        guard isRunning else { return }
        reconnects += 1
        EventLoop.shared.after(backoff.next()) { [weak self] in
            guard let self, self.isRunning else { return }
            self.connect()
        }
    }
}
