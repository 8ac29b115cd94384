import Loop

/// The connections that transactions take one at a time. They are opened as they are needed, up to a limit.
@LoopActor final class WritePool {
    private let configuration: Database.Configuration
    private var lines: [Line] = []
    private var idle: [Connection] = []
    private let room = WaitingRoom(limit: 1000)
    private var isRunning = false

    init(_ configuration: Database.Configuration) { self.configuration = configuration }

    var isReady: Bool { lines.contains { $0.open != nil } }
    var inUse: Int { lines.count { $0.open != nil } - idle.count }
    var waiting: Int { room.count }
    var reconnects: Int { lines.reduce(0) { $0 + $1.reconnects } }
    var lastFailure: PostgresError? { lines.lazy.compactMap(\.lastFailure).first }

    func start() {
        isRunning = true
        if lines.isEmpty { grow() }
    }

    func stop() {
        isRunning = false
        for line in lines { line.stop() }
        idle = []
        room.dismissAll(PostgresError(.unavailable, message: "the database was closed"))
    }

    func take() async throws -> Connection {
        // The most recently used first: its statements are prepared and its server process is warm.
        while let connection = idle.popLast() {
            if connection.state == .open { return connection }
        }
        if isRunning, lines.count < configuration.writeConnections { grow() }
        // Busy is worth a wait; without any connection the caller should soon be told.
        return try await room.wait(isReady ? .seconds(5) : .seconds(2))
    }

    /// Takes the connection back. One that may still be inside a transaction is not `clean` and is closed.
    func giveBack(_ connection: Connection, clean: Bool) {
        guard connection.state == .open else { return }
        guard clean, isRunning else { return connection.end() }
        if !room.admit(connection) { idle.append(connection) }
    }

    private func grow() {
        let line = Line(configuration, purpose: .writing)
        line.onOpen = { [weak self] in self?.giveBack($0, clean: true) }
        line.onEnd = { [weak self] ended in self?.idle.removeAll { $0 === ended } }
        lines.append(line)
        line.start()
    }
}
