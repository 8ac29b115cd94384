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

    static func literal(_ elements: [SQLParameter]) -> String {
        var text = "{"
        for (index, element) in elements.enumerated() {
            if index > 0 { text += "," }
            switch element {
            case .null: text += "NULL"
            case .text(let value):
                text += "\""
                for character in value.unicodeScalars {
                    if character == "\"" || character == "\\" { text += "\\" }
                    text.unicodeScalars.append(character)
                }
                text += "\""
            case .bytes(let bytes):
                text += "\"\\\\x"
                for byte in bytes { text += byte < 16 ? "0" + String(byte, radix: 16) : String(byte, radix: 16) }
                text += "\""
            }
        }
        return text + "}"
    }
}
