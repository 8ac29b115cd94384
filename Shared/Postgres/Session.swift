import Loop
import Primitives

/// Where a store sends its statements: a plain read or the inside of a transaction.
@LoopActor package protocol SQLSession: AnyObject {
    /// Every row, mapped. The statement itself carries the limit.
    func all<T>(_ sql: SQL, as row: (inout Row) throws -> T) async throws -> [T]
    /// The first row, or nil.
    func first<T>(_ sql: SQL, as row: (inout Row) throws -> T) async throws -> T?
    /// Runs it and says how many rows it touched.
    @discardableResult func run(_ sql: SQL) async throws -> Int
}

/// One row of a result, read column by column in the order of the select list.
package struct Row: ~Copyable {
    // SKELETON: the Postgres developer replaces what is inside; the methods stay.
    package mutating func next<T: SQLReadable>(as _: T.Type = T.self) throws(PostgresError) -> T { fatalError("skeleton") }
    /// Null is nil.
    package mutating func next<T: SQLReadable>(as _: T?.Type = T?.self) throws(PostgresError) -> T? { fatalError("skeleton") }
}

/// What can be read from a column, in Postgres' text format.
package protocol SQLReadable {
    init?(sql bytes: UnsafeRawBufferPointer)
}

extension String: SQLReadable {
    package init?(sql bytes: UnsafeRawBufferPointer) { self = String(decoding: bytes, as: UTF8.self) }
}
extension Bool: SQLReadable {
    package init?(sql bytes: UnsafeRawBufferPointer) {
        guard bytes.count == 1 else { return nil }
        self = bytes[0] == 0x74
    }
}
extension Int64: SQLReadable {
    package init?(sql bytes: UnsafeRawBufferPointer) { self.init(String(decoding: bytes, as: UTF8.self)) }
}
extension Int: SQLReadable {
    package init?(sql bytes: UnsafeRawBufferPointer) { self.init(String(decoding: bytes, as: UTF8.self)) }
}
extension Double: SQLReadable {
    package init?(sql bytes: UnsafeRawBufferPointer) { self.init(String(decoding: bytes, as: UTF8.self)) }
}
extension ID: SQLReadable {
    package init?(sql bytes: UnsafeRawBufferPointer) {
        guard let id = Self.parse(bytes) else { return nil }
        self = id
    }
}
extension Timestamp: SQLReadable {
    package init?(sql bytes: UnsafeRawBufferPointer) {
        guard let time = Self.parse(bytes) else { return nil }
        self = time
    }
}
extension LocalDate: SQLReadable {
    package init?(sql bytes: UnsafeRawBufferPointer) {
        guard let date = Self.parse(bytes) else { return nil }
        self = date
    }
}
extension Currency: SQLReadable {
    package init?(sql bytes: UnsafeRawBufferPointer) { self.init(String(decoding: bytes, as: UTF8.self)) }
}
/// An enum of plain words reads itself by declaring `SQLReadable`.
extension SQLReadable where Self: RawRepresentable, RawValue == String {
    package init?(sql bytes: UnsafeRawBufferPointer) { self.init(rawValue: String(decoding: bytes, as: UTF8.self)) }
}
extension Bytes: SQLReadable {
    package init?(sql bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= 2, bytes.count % 2 == 0, bytes[0] == 0x5c, bytes[1] == 0x78 else { return nil }
        func digit(_ byte: UInt8) -> UInt8? {
            switch byte {
            case 0x30...0x39: byte - 0x30
            case 0x61...0x66: byte - 0x57
            default: nil
            }
        }
        var result = [UInt8]()
        result.reserveCapacity(bytes.count / 2 - 1)
        for index in stride(from: 2, to: bytes.count, by: 2) {
            guard let high = digit(bytes[index]), let low = digit(bytes[index + 1]) else { return nil }
            result.append(high << 4 | low)
        }
        self.init(result)
    }
}

/// A fault of the database or of the way to it. Constraints that a rule expects are translated by `onConstraint`.
package struct PostgresError: Error, Sendable {
    package enum Code: Sendable {
        /// Not connected, connection lost, starting up, too many connections: try again later.
        case unavailable
        /// Our deadline or `statement_timeout` passed.
        case timeout
        /// 40001 or 40P01: the whole transaction may be repeated.
        case serialization
        /// 23xxx; `constraint` names it.
        case constraint
        /// A column did not read as the type asked for: our mistake.
        case decoding
        /// Every other refusal of the server.
        case server
    }
    package let code: Code
    package let sqlState: String
    package let constraint: String?
    /// For the log only: may quote SQL, never values.
    package let message: String

    package init(_ code: Code, sqlState: String = "", constraint: String? = nil, message: String = "") {
        self.code = code
        self.sqlState = sqlState
        self.constraint = constraint
        self.message = message
    }
}

/// Turns the violation of one named constraint into a refusal. The transaction is doomed by then: this only translates.
@LoopActor package func onConstraint<T>(
    _ name: String, throw refusal: any Error, _ body: @LoopActor () async throws -> T
) async throws -> T {
    do { return try await body() } catch let error as PostgresError where error.constraint == name { throw refusal }
}

/// SKELETON: the database as a service holds it. Never hands out a connection.
@LoopActor package final class Database {
    package nonisolated init(_ configuration: Configuration) {}

    package struct Configuration: Sendable {
        package var host: String  // a path is a unix socket's folder
        package var port: Int
        package var database: String
        package var user: String
        package var password: String
        /// The service's schema: the search path of every connection.
        package var schema: String
        package var readConnections: Int
        package var writeConnections: Int
        package init(host: String, port: Int, database: String, user: String, password: String, schema: String, readConnections: Int = 2, writeConnections: Int = 8) {
            self.host = host
            self.port = port
            self.database = database
            self.user = user
            self.password = password
            self.schema = schema
            self.readConnections = readConnections
            self.writeConnections = writeConnections
        }
    }

    /// Starts connecting and keeps reconnecting with jittered backoff; returns at once.
    package func start() { fatalError("skeleton") }
    package var isReady: Bool { fatalError("skeleton") }

    /// Single statements on the shared read connections, pipelined; every one sees only this tenant.
    package func reader(for tenant: TenantID) -> any SQLSession { fatalError("skeleton") }

    /// All of `body` or nothing. Serialization failures and deadlocks repeat it up to 3 times with jitter,
    /// so `body` must have no effect but its statements.
    package func transaction<T>(
        for tenant: TenantID, _ body: @LoopActor (Transaction) async throws -> T
    ) async throws -> T { fatalError("skeleton") }

    /// A transaction with no tenant set: tables under row-level security refuse it. For outbox, inbox, migrations.
    package func systemTransaction<T>(_ body: @LoopActor (Transaction) async throws -> T) async throws -> T { fatalError("skeleton") }
}

/// SKELETON: one open transaction on one connection.
@LoopActor package final class Transaction: SQLSession {
    nonisolated init() {}
    package func all<T>(_ sql: SQL, as row: (inout Row) throws -> T) async throws -> [T] { fatalError("skeleton") }
    package func first<T>(_ sql: SQL, as row: (inout Row) throws -> T) async throws -> T? { fatalError("skeleton") }
    @discardableResult package func run(_ sql: SQL) async throws -> Int { fatalError("skeleton") }

    /// Queues a statement whose result nobody reads; it travels with the commit and its failure fails the commit.
    package func later(_ sql: SQL) { fatalError("skeleton") }

    /// Who acts in this transaction: set by `write` or by the consumer, read by `announce` and `audit`.
    package var context: (any Sendable)?
    /// Called once just before commit, to queue what was gathered (the outbox rows).
    package var beforeCommit: (@LoopActor (Transaction) throws -> Void)?
}
