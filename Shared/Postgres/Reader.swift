import Loop

/// The shared read connections. Everything of one tick travels as one flight per connection.
@LoopActor final class ReadPool {
    private let lines: [Line]
    private let room = WaitingRoom(limit: 10_000)
    private let deadline: Duration
    private let pulse: Pulse

    init(_ configuration: Database.Configuration, _ pulse: Pulse) {
        self.pulse = pulse
        lines = (0..<max(1, configuration.readConnections)).map { _ in
            Line(configuration, purpose: .reading, pulse: pulse)
        }
        deadline = configuration.statementDeadline
        for line in lines {
            line.onOpen = { [room] in while room.admit($0) {} }
        }
    }

    var isReady: Bool { lines.contains { $0.open != nil } }
    var inFlight: Int { lines.reduce(0) { $0 + ($1.open?.pending ?? 0) } }
    var waiting: Int { room.count }
    var reconnects: Int { lines.reduce(0) { $0 + $1.reconnects } }
    var lastFailure: PostgresError? { lines.lazy.compactMap(\.lastFailure).first }

    func start() { for line in lines { line.start() } }

    func endAll(_ error: PostgresError) {
        for line in lines { line.open?.end(error) }
        room.dismissAll(error)
    }

    func stop() {
        for line in lines { line.stop() }
        room.dismissAll(PostgresError(.unavailable, message: "the database was closed"))
    }

    /// Runs one read. A read may be repeated, so neither a neighbour's mistake nor a lost connection is its end.
    func run(_ sql: SQL, in scope: Scope) async throws -> RawResult {
        try sql.validate()
        try Task.checkCancellation()
        let giveUp = EventLoop.shared.tickTime + deadline.nanoseconds
        var attempt = 0
        while true {
            let outcome = try await connection().read(sql, in: scope, alone: attempt > 0)
            switch outcome {
            case .rows(let result): return result
            case .failed(let error): if !error.isStale || attempt > 1 { throw error }
            case .expired: throw PostgresError.expired
            case .aborted, .lost: if attempt > 1 { throw PostgresError.lost }
            }
            attempt += 1
            // One repeat is everybody's right: it was a neighbour who took the time.
            if attempt > 1, EventLoop.shared.tickTime >= giveUp { throw PostgresError.expired }
        }
    }

    /// The open connection with the least to answer.
    private func connection() async throws -> Connection {
        var best: Connection?
        for line in lines {
            if let open = line.open, open.pending < best?.pending ?? .max { best = open }
        }
        // Statements and their preparations, scopes and syncs are all counted.
        if let best, best.pending < 20_000 { return best }
        if best != nil { throw PostgresError(.unavailable, message: "too many statements wait for an answer") }
        if pulse.isSilent { throw PostgresError.silent }
        return try await room.wait(.seconds(2))
    }
}

/// Single statements, each for itself, that see one scope.
@LoopActor final class Reader: SQLSession {
    private let database: Database
    private let scope: Scope

    init(_ database: Database, _ scope: Scope) {
        self.database = database
        self.scope = scope
    }

    func all<T>(_ sql: SQL, as row: (inout Row) throws -> T) async throws -> [T] {
        try await database.read(sql, in: scope).all(row)
    }

    func first<T>(_ sql: SQL, as row: (inout Row) throws -> T) async throws -> T? {
        try await database.read(sql, in: scope).first(row)
    }

    @discardableResult func run(_ sql: SQL) async throws -> Int {
        try await database.read(sql, in: scope).affected
    }
}
