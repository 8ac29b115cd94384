import Loop
import Primitives

/// The database as a service holds it. It never hands out a connection.
@LoopActor package final class Database {
    private let configuration: Configuration
    private lazy var pulse = Pulse(configuration)
    private lazy var reads = ReadPool(configuration, pulse)
    private lazy var writes = WritePool(configuration, pulse)
    private lazy var listener = Listener(configuration)
    private var statements = 0
    private var transactions = 0
    private var rollbacks = 0
    /// Until when the server is believed to have no room: a while after it last said so.
    private var outOfRoomUntil = 0

    package nonisolated init(_ configuration: Configuration) { self.configuration = configuration }

    /// Starts connecting and keeps reconnecting with jittered backoff; returns at once.
    package func start() {
        pulse.onSilence = { [weak self] in
            self?.reads.endAll(.silent)
            self?.writes.endAll(.silent)
        }
        reads.start()
        writes.start()
    }

    /// Ends every connection; what is under way fails as unavailable.
    package func close() {
        reads.stop()
        writes.stop()
        listener.stop()
    }

    /// Reads and writes can both be served: connected, and not told in the last 5 s that there is no room.
    package var isReady: Bool { reads.isReady && writes.isReady && EventLoop.shared.tickTime >= outOfRoomUntil }

    /// Why the last connection ended or could not be made; for the log. Never holds the password.
    package var lastFailure: PostgresError? { reads.lastFailure ?? writes.lastFailure }

    /// How long a transaction has to wait for its turn behind so many others, by what the last ones waited. Not all of the others
    /// need wait here already: some are on their way.
    package func expectedWait(behind count: Int) -> Duration { writes.expectedWait(behind: count) }

    /// What has happened since the start, and what is happening now.
    package struct Counters: Sendable {
        package let statements: Int
        package let transactions: Int
        package let rollbacks: Int
        package let reconnects: Int
        /// Answers the read connections owe, and write connections in use.
        package let inFlight: Int
        package let waiting: Int
    }

    package var counters: Counters {
        Counters(
            statements: statements, transactions: transactions, rollbacks: rollbacks,
            reconnects: reads.reconnects + writes.reconnects + listener.reconnects,
            inFlight: reads.inFlight + writes.inUse, waiting: reads.waiting + writes.waiting)
    }

    /// Single statements on the shared read connections, pipelined; every one sees only this tenant.
    package func reader(for tenant: TenantID) -> any SQLSession { Reader(self, Scope(tenant: tenant)) }

    /// The same without a tenant: tables under row-level security refuse it.
    package var systemReader: any SQLSession { Reader(self, Scope(tenant: nil)) }

    func read(_ sql: SQL, in scope: Scope) async throws -> RawResult {
        statements += 1
        return try await reads.run(sql, in: scope)
    }

    /// All of `body` or nothing. Serialization failures and deadlocks repeat it up to 3 times with jitter,
    /// so `body` must have no effect but its statements. One that works `forMany`, who wait for what it does, has its turn
    /// before those who wait for one of their own.
    @discardableResult
    package func transaction<T>(
        for tenant: TenantID, forMany: Bool = false, _ body: @LoopActor (Transaction) async throws -> T
    ) async throws -> T {
        try await transaction(in: Scope(tenant: tenant), forMany, body)
    }

    /// A transaction with no tenant set: tables under row-level security refuse it. For outbox, inbox, migrations.
    @discardableResult
    package func systemTransaction<T>(
        forMany: Bool = false, _ body: @LoopActor (Transaction) async throws -> T
    ) async throws -> T {
        try await transaction(in: Scope(tenant: nil), forMany, body)
    }

    /// Calls `body` after every `notify` on the channel, and after every reconnect, when some may have been missed.
    package func listen(_ channel: String, _ body: @escaping @LoopActor () -> Void) {
        listener.add(channel, body)
    }

    private func transaction<T>(
        in scope: Scope, _ forMany: Bool, _ body: @LoopActor (Transaction) async throws -> T
    ) async throws -> T {
        var attempt = 1
        while true {
            let connection = try await writes.take(forMany: forMany)
            let transaction = Transaction(connection, scope)
            do {
                let value = try await body(transaction)
                try await transaction.commit()
                count(transaction)
                writes.giveBack(connection, clean: true)
                return value
            } catch {
                rollbacks += 1
                if transaction.fault?.isOutOfRoom == true { outOfRoomUntil = EventLoop.shared.tickTime + 5_000_000_000 }
                let isClean = await transaction.rollBack()
                count(transaction)
                writes.giveBack(connection, clean: isClean)
                guard attempt <= 3, transaction.mayRepeat(attempt: attempt), !Task.isCancelled else { throw error }
            }
            try await EventLoop.sleep(for: .milliseconds(Int.random(in: 1...20 * attempt)))
            attempt += 1
        }
    }

    private func count(_ transaction: Transaction) {
        transactions += 1
        statements += transaction.statements
    }
}
