/// One row of a result, read column by column in the order of the select list.
package struct Row: ~Copyable {
    private let result: RawResult
    private let row: Int32
    private var column: Int32 = 0

    init(_ result: RawResult, row: Int32) {
        self.result = result
        self.row = row
    }

    package mutating func next<T: SQLReadable>(as _: T.Type = T.self) throws(PostgresError) -> T {
        guard let value = try next(as: T?.self) else {
            throw PostgresError(.decoding, message: "column \(column) is null where \(T.self) was asked for")
        }
        return value
    }

    /// Null is nil.
    package mutating func next<T: SQLReadable>(as _: T?.Type = T?.self) throws(PostgresError) -> T? {
        guard column < result.columnCount else {
            throw PostgresError(.decoding, message: "column \(column + 1) was asked for, there are \(column)")
        }
        defer { column += 1 }
        guard let read = result.read(row: row, column: column, { T(sql: $0) }) else { return nil }
        guard let value = read else {
            throw PostgresError(.decoding, message: "column \(column + 1) does not read as \(T.self)")
        }
        return value
    }

    /// Leaves the next column unread.
    package mutating func skip() { column += 1 }
}

extension RawResult {
    func all<T>(_ map: (inout Row) throws -> T) throws -> [T] {
        var values: [T] = []
        values.reserveCapacity(rowCount)
        for index in 0..<Int32(rowCount) {
            var row = Row(self, row: index)
            values.append(try map(&row))
        }
        return values
    }

    func first<T>(_ map: (inout Row) throws -> T) throws -> T? {
        guard rowCount > 0 else { return nil }
        var row = Row(self, row: 0)
        return try map(&row)
    }
}
