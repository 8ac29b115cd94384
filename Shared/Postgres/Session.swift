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
