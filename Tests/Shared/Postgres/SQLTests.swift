import Primitives
import Testing

@testable import Postgres

@Suite struct SQLTests {
    @Test func `Interpolations become numbered parameters`() {
        let name = "o'Hara"
        let sql: SQL = "select \(name), \(7), \(nil as String?)"
        #expect(sql.text == "select $1, $2, $3")
        #expect(sql.parameters.count == 3)
    }

    @Test func `A statement spliced into another has its parameters renumbered`() {
        let part: SQL = "a = \(1) and b = \(2)"
        let sql: SQL = "select \(0) where \(part)"
        #expect(sql.text == "select $1 where a = $2 and b = $3")
    }

    @Test func `A parameter with a zero character is refused`() {
        let sql: SQL = "select \("a\0b")"
        #expect(throws: PostgresError.self) { try sql.validate() }
    }

    @Test func `Faults are told apart by their SQLSTATE`() {
        func code(_ state: String) -> PostgresError.Code {
            PostgresError(sqlState: state, constraint: nil, message: "").code
        }
        #expect(["08006", "57P01", "57P03", "53300"].allSatisfy { code($0) == .unavailable })
        #expect(["57014", "55P03"].allSatisfy { code($0) == .timeout })
        #expect(["40001", "40P01"].allSatisfy { code($0) == .serialization })
        #expect(["23505", "23P01", "23514"].allSatisfy { code($0) == .constraint })
        #expect(["42601", "25006", "22P02"].allSatisfy { code($0) == .server })
    }

    @Test func `The message of a data fault loses the value it quotes`() {
        let error = PostgresError(
            sqlState: "22P02", constraint: nil, message: "invalid input syntax for type uuid: \"Ada Lovelace\"")
        #expect(!error.message.contains("Ada"))
    }

    @Test func `The least recently used statement gives way`() {
        var cache = StatementCache(limit: 2)
        let first = cache.add("a")
        _ = cache.add("b")
        #expect(cache.name(of: "a") == first)
        _ = cache.add("c")
        #expect(cache.name(of: "b") == nil)
        #expect(cache.takeRetired() == ["s2"])
    }
}
