import Loop

/// Keeps one connection alive: whenever it ends, connects again after a jittered wait, for ever.
@LoopActor final class Line {
    private let configuration: Database.Configuration
    private let purpose: Connection.Purpose
    private let pulse: Pulse?
    private var backoff = Backoff(to: .seconds(1))
    private var attempts = 0
    private var isRunning = false
    private var openedAt: Int?
    /// The session while it is connecting or open.
    private var session: Connection?

    private(set) var reconnects = 0
    private(set) var lastFailure: PostgresError?
    var onOpen: @LoopActor (Connection) -> Void = { _ in }
    var onEnd: @LoopActor (Connection) -> Void = { _ in }
    var onNotification: @LoopActor (String) -> Void = { _ in }

    init(_ configuration: Database.Configuration, purpose: Connection.Purpose, pulse: Pulse? = nil) {
        self.configuration = configuration
        self.purpose = purpose
        self.pulse = pulse
    }

    /// The connection, when it is usable.
    var open: Connection? { session?.state == .open ? session : nil }

    func start() {
        guard !isRunning else { return }
        isRunning = true
        connect()
    }

    func stop() {
        isRunning = false
        session?.end(PostgresError(.unavailable, message: "the database was closed"))
    }

    private func connect() {
        let host = configuration.host
        if host.hasPrefix("/") { return connect(to: nil) }
        EventLoop.spawn { [weak self] in
            do {
                let addresses = try await Resolver.addresses(of: host)
                guard let self else { return }
                // Another address on every attempt: `localhost` may name one nobody listens on.
                self.connect(to: addresses[self.attempts % addresses.count])
            } catch {
                self?.retry(PostgresError(.unavailable, message: "the name \(host) is not known"))
            }
        }
    }

    private func connect(to address: String?) {
        guard isRunning else { return }
        attempts += 1
        let connection = Connection(configuration, purpose: purpose, pulse: pulse)
        connection.onOpen = { [weak self] in self?.opened($0) }
        connection.onEnd = { [weak self] in self?.ended($0, $1) }
        connection.onNotification = { [weak self] in self?.onNotification($0) }
        session = connection
        connection.connect(configuration.settings(for: purpose, address: address), to: address)
    }

    private func opened(_ connection: Connection) {
        openedAt = EventLoop.shared.tickTime
        onOpen(connection)
    }

    private func ended(_ connection: Connection, _ error: PostgresError) {
        session = nil
        // One that ends as soon as it opens does not count as a success.
        if let openedAt, EventLoop.shared.tickTime - openedAt > 5_000_000_000 { backoff.reset() }
        openedAt = nil
        onEnd(connection)
        retry(error)
    }

    private func retry(_ error: PostgresError) {
        lastFailure = error
        guard isRunning else { return }
        reconnects += 1
        EventLoop.shared.after(backoff.next()) { [weak self] in
            guard let self, self.isRunning else { return }
            self.connect()
        }
    }
}
