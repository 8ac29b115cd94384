import Primitives

/// A statement whose interpolations are parameters: `"… where id = \(id)"` sends `$1` and binds it.
///
/// The text is the key of the prepared statement, so the same literal is parsed once per connection.
/// The only way round binding is `\(unsafe:)`, which a reviewer can search for.
package struct SQL: ExpressibleByStringInterpolation, Sendable {
    package let text: String
    package let parameters: [SQLParameter]

    package init(stringLiteral text: String) {
        self.text = text
        parameters = []
    }

    package init(stringInterpolation: StringInterpolation) {
        text = stringInterpolation.text
        parameters = stringInterpolation.parameters
    }

    package struct StringInterpolation: StringInterpolationProtocol {
        var text = ""
        var parameters: [SQLParameter] = []

        package init(literalCapacity: Int, interpolationCount: Int) {
            text.reserveCapacity(literalCapacity + interpolationCount * 3)
            parameters.reserveCapacity(interpolationCount)
        }
        package mutating func appendLiteral(_ literal: String) { text += literal }
        package mutating func appendInterpolation(_ value: (some SQLBindable)?) {
            parameters.append(value?.sqlParameter ?? .null)
            text += "$\(parameters.count)"
        }
        /// Text of ours, never of a client: a column list, a schema name.
        package mutating func appendInterpolation(unsafe fragment: String) { text += fragment }
        /// Another statement spliced in, its parameters renumbered.
        package mutating func appendInterpolation(_ part: SQL) {
            var rest = part.text[...]
            let base = parameters.count
            while let dollar = rest.firstIndex(of: "$") {
                text += rest[..<dollar]
                rest = rest[rest.index(after: dollar)...]
                let digits = rest.prefix { $0.isNumber }
                if let number = Int(digits) { text += "$\(base + number)" } else { text += "$" }
                rest = rest[digits.endIndex...]
            }
            text += rest
            parameters += part.parameters
        }
    }
}

/// One bound value, in Postgres' text format.
package enum SQLParameter: Sendable {
    case null
    case text(String)
    case bytes([UInt8])
}

extension SQLParameter {
    /// Bytes in an array's literal, with some room for what has to be escaped.
    fileprivate var roughSize: Int {
        switch self {
        case .null: 5
        case .text(let value): value.utf8.count + value.utf8.count / 8 + 3
        case .bytes(let bytes): 2 * bytes.count + 6
        }
    }
}

/// What a statement can bind.
package protocol SQLBindable { var sqlParameter: SQLParameter { get } }

extension String: SQLBindable { package var sqlParameter: SQLParameter { .text(self) } }
extension Int: SQLBindable { package var sqlParameter: SQLParameter { .text(String(self)) } }
extension Int64: SQLBindable { package var sqlParameter: SQLParameter { .text(String(self)) } }
extension Double: SQLBindable { package var sqlParameter: SQLParameter { .text("\(self)") } }
extension Bool: SQLBindable { package var sqlParameter: SQLParameter { .text(self ? "t" : "f") } }
extension ID: SQLBindable { package var sqlParameter: SQLParameter { .text(description) } }
extension Timestamp: SQLBindable { package var sqlParameter: SQLParameter { .text(description) } }
extension LocalDate: SQLBindable { package var sqlParameter: SQLParameter { .text(description) } }
extension LocalTime: SQLBindable { package var sqlParameter: SQLParameter { .text(description) } }
extension Currency: SQLBindable { package var sqlParameter: SQLParameter { .text(code) } }
/// An enum of plain words binds itself by declaring `SQLBindable`.
extension SQLBindable where Self: RawRepresentable, RawValue == String {
    package var sqlParameter: SQLParameter { .text(rawValue) }
}
/// `bytea`.
package struct Bytes: SQLBindable, Sendable, Equatable {
    package let array: [UInt8]
    package init(_ array: [UInt8]) { self.array = array }
    package var sqlParameter: SQLParameter { .bytes(array) }
}
/// An array parameter: `= any(\(ids))`, `unnest(\(names)::text[])`. Elements may be null.
extension Array: SQLBindable where Element: SQLBindable {
    package var sqlParameter: SQLParameter { .text(SQLArray.literal(map { $0.sqlParameter })) }
}
/// An array some of whose elements are null.
package struct SQLArray: SQLBindable {
    package let elements: [SQLParameter]
    package init<T: SQLBindable>(_ values: [T?]) { elements = values.map { $0?.sqlParameter ?? .null } }
    package var sqlParameter: SQLParameter { .text(Self.literal(elements)) }

    /// Byte by byte: appending characters to a string was a sixth of what a booking cost the service.
    static func literal(_ elements: [SQLParameter]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(elements.reduce(2) { $0 + $1.roughSize })
        text.append(UInt8(ascii: "{"))
        for (index, element) in elements.enumerated() {
            if index > 0 { text.append(UInt8(ascii: ",")) }
            switch element {
            case .null: text.append(contentsOf: "NULL".utf8)
            case .text(var value):
                text.append(UInt8(ascii: "\""))
                value.withUTF8 { bytes in
                    for byte in bytes {
                        if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { text.append(UInt8(ascii: "\\")) }
                        text.append(byte)
                    }
                }
                text.append(UInt8(ascii: "\""))
            case .bytes(let bytes):
                text.append(contentsOf: "\"\\\\x".utf8)
                let digits = Array("0123456789abcdef".utf8)
                for byte in bytes {
                    text.append(digits[Int(byte >> 4)])
                    text.append(digits[Int(byte & 15)])
                }
                text.append(UInt8(ascii: "\""))
            }
        }
        text.append(UInt8(ascii: "}"))
        return String(decoding: text, as: UTF8.self)
    }
}
