import Loop

/// One open transaction on one connection.
///
/// `begin` travels with the first statement and `commit` with the last, so a change of one statement costs
/// two round trips and a change of `later` statements only costs one.
@LoopActor package final class Transaction: SQLSession {
    private let connection: Connection
    private let scope: Scope
    private var queued: [SQL] = []
    private var hasBegun = false
    private var isOver = false
    private var isCommitSent = false
    /// The first fault of any of its statements: it dooms the transaction, whatever the body made of it.
    private(set) var fault: PostgresError?
    private(set) var statements = 0

    /// Who acts in this transaction: set by `write` or by the consumer, read by `announce` and `audit`.
    package var context: (any Sendable)?
    /// Called once just before commit, to queue what was gathered (the outbox rows).
    package var beforeCommit: (@LoopActor (Transaction) throws -> Void)?
    /// Called once when the commit was answered: others see it from now on.
    package var afterCommit: (@LoopActor () -> Void)?

    init(_ connection: Connection, _ scope: Scope) {
        self.connection = connection
        self.scope = scope
    }

    package func all<T>(_ sql: SQL, as row: (inout Row) throws -> T) async throws -> [T] {
        try await execute(sql).all(row)
    }

    package func first<T>(_ sql: SQL, as row: (inout Row) throws -> T) async throws -> T? {
        try await execute(sql).first(row)
    }

    @discardableResult package func run(_ sql: SQL) async throws -> Int { try await execute(sql).affected }

    /// Queues a statement whose result nobody reads; it travels with the commit and its failure fails the commit.
    package func later(_ sql: SQL) {
        precondition(!isOver, "a statement was queued after its transaction had ended")
        queued.append(sql)
    }

    private func execute(_ sql: SQL) async throws -> RawResult {
        guard !isOver else { throw PostgresError(.server, sqlState: "25P01", message: "the transaction is over") }
        try Task.checkCancellation()
        // What was queued earlier must not be overtaken: the statement may read what it writes.
        return try await fly(sql)
    }

    private func fly(_ sql: SQL) async throws -> RawResult {
        for statement in queued + [sql] { try statement.validate() }
        let before = (hasBegun ? [] : ["begin", scope.statement]) + queued
        hasBegun = true
        queued = []
        statements += before.count + 1
        let error: PostgresError
        switch await connection.send(before, sql) {
        case .rows(let result): return result
        case .failed(let refusal): error = refusal
        case .aborted(let reason): error = reason ?? .lost
        case .lost: error = .lost
        case .expired: error = .expired
        }
        if fault == nil { fault = error }
        throw error
    }

    // MARK: the end, called by Database

    func commit() async throws {
        try beforeCommit?(self)
        isOver = true
        // A body that swallowed a fault cannot have what it thinks it has.
        if let fault { throw fault }
        guard hasBegun || !queued.isEmpty else { return }
        isCommitSent = true
        let tag: String
        do { tag = try await fly("commit").tag } catch let error as PostgresError {
            // A refusal is an answer. Silence may mean that it was done and we were not told.
            throw error.isSilence ? PostgresError.unknownOutcome : error
        }
        if tag != "COMMIT" {
            throw PostgresError(.server, sqlState: "25P02", message: "commit was answered by \(tag)")
        }
        afterCommit?()
    }

    /// Leaves nothing behind. True when the connection may be used again.
    func rollBack() async -> Bool {
        isOver = true
        guard hasBegun else { return true }
        if case .rows = await connection.send([], "rollback") { return true }
        return false
    }

    /// Whether the same body may succeed on a second run, and is certain not to have been kept by the first.
    func mayRepeat(attempt: Int) -> Bool {
        guard let fault else { return false }
        if fault.isSilence { return !isCommitSent && attempt == 1 && fault.code == .unavailable }
        return fault.code == .serialization || fault.isStale
    }
}

extension PostgresError {
    /// No answer at all: the connection was lost or the deadline passed.
    var isSilence: Bool { sqlState == PostgresError.lost.sqlState || sqlState.isEmpty && code == .timeout }
}
