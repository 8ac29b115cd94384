import Loop

/// The connections that transactions take one at a time. They are opened as they are needed, up to a limit.
@LoopActor final class WritePool {
    private let configuration: Database.Configuration
    private var lines: [Line] = []
    private var book: PoolBook<Connection>
    private let room = WaitingRoom(limit: 1000)
    private let pulse: Pulse

    init(_ configuration: Database.Configuration, _ pulse: Pulse) {
        self.configuration = configuration
        self.pulse = pulse
        book = PoolBook(limit: configuration.writeConnections)
    }

    var isReady: Bool { lines.contains { $0.open != nil } }
    var inUse: Int { lines.count { $0.open != nil } - book.idleCount }
    var waiting: Int { room.count }
    func expectedWait(behind count: Int) -> Duration { room.expectedWait(behind: count) }
    var reconnects: Int { lines.reduce(0) { $0 + $1.reconnects } }
    var lastFailure: PostgresError? { lines.lazy.compactMap(\.lastFailure).first }

    func start() {
        if book.start() { grow() }
    }

    func stop() {
        book.stop()
        for line in lines { line.stop() }
        room.dismissAll(PostgresError(.unavailable, message: "the database was closed"))
    }

    func endAll(_ error: PostgresError) {
        for line in lines { line.open?.end(error) }
        room.dismissAll(error)
    }

    func take(forMany: Bool) async throws -> Connection {
        if pulse.isSilent { throw PostgresError.silent }
        switch book.ask(isOpen: { $0.state == .open }) {
        case .take(let connection): return connection
        case .wait(let growing): if growing { grow() }
        }
        // Busy is worth a wait; without any connection the caller should soon be told.
        return try await room.wait(isReady ? .seconds(5) : .seconds(2), forMany: forMany)
    }

    /// Takes the connection back. One that may still be inside a transaction is not `clean` and is closed.
    func giveBack(_ connection: Connection, clean: Bool) {
        let isOpen = connection.state == .open
        switch book.back(connection, isOpen: isOpen, isClean: clean, someoneWaits: room.count > 0) {
        case .gone, .keep: return
        case .end: connection.end()
        case .hand: _ = room.admit(connection)
        }
    }

    private func grow() {
        let line = Line(configuration, purpose: .writing, pulse: pulse)
        line.onOpen = { [weak self] in self?.giveBack($0, clean: true) }
        line.onEnd = { [weak self] ended in self?.book.ended(ended) }
        lines.append(line)
        line.start()
    }
}
