import Primitives

/// Writes JSON bytes front to back, with no tree in between (measured 20 × Foundation, `runtime.md` 3).
///
///     var json = JSONWriter()
///     json.object {
///         $0.field("id", appointment.id)
///         $0.field("reason", appointment.reason)      // nil is left out
///         $0.array("lines", lines) { $0.value($1) }
///     }
package struct JSONWriter: Sendable {
    package private(set) var bytes: [UInt8] = []
    private var needsComma = false

    package init(reserving capacity: Int = 512) { bytes.reserveCapacity(capacity) }

    // MARK: values

    package mutating func object(_ members: (inout JSONWriter) throws -> Void) rethrows {
        separate()
        bytes.append(0x7b)
        needsComma = false
        try members(&self)
        bytes.append(0x7d)
        needsComma = true
    }

    package mutating func array<C: Collection>(
        of elements: C, _ write: (inout JSONWriter, C.Element) throws -> Void
    ) rethrows {
        separate()
        bytes.append(0x5b)
        needsComma = false
        for element in elements { try write(&self, element) }
        bytes.append(0x5d)
        needsComma = true
    }

    package mutating func null() {
        separate()
        append("null")
        needsComma = true
    }

    package mutating func value(_ value: some JSONWritable) { value.write(to: &self) }

    package mutating func string(_ text: String) {
        separate()
        quote(text)
        needsComma = true
    }

    package mutating func integer(_ number: Int64) {
        separate()
        append(number)
        needsComma = true
    }

    /// A finite number in its shortest form; JSON has no word for the others, so they are null.
    package mutating func number(_ number: Double) {
        guard number.isFinite else { return null() }
        separate()
        if let whole = Int64(exactly: number) { append(whole) } else { bytes.append(contentsOf: "\(number)".utf8) }
        needsComma = true
    }

    package mutating func boolean(_ flag: Bool) {
        separate()
        append(flag ? "true" : "false")
        needsComma = true
    }

    /// Bytes that are already one JSON value, such as `jsonb` from Postgres.
    package mutating func raw(_ json: some Sequence<UInt8>) {
        separate()
        bytes.append(contentsOf: json)
        needsComma = true
    }

    // MARK: members

    package mutating func key(_ name: String) {
        separate()
        quote(name)
        bytes.append(0x3a)
        needsComma = false
    }

    package mutating func field(_ name: String, _ value: some JSONWritable) {
        key(name)
        value.write(to: &self)
    }

    /// Nil leaves the member out; write `null` on purpose with `key` and `null()`.
    package mutating func field(_ name: String, _ value: (some JSONWritable)?) {
        if let value { field(name, value) }
    }

    package mutating func object(_ name: String, _ members: (inout JSONWriter) throws -> Void) rethrows {
        key(name)
        try object(members)
    }

    package mutating func array<C: Collection>(
        _ name: String, _ elements: C, _ write: (inout JSONWriter, C.Element) throws -> Void
    ) rethrows {
        key(name)
        try array(of: elements, write)
    }

    // MARK: bytes

    private mutating func separate() {
        if needsComma { bytes.append(0x2c) }
    }

    private mutating func append(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private mutating func append(_ number: Int64) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var at = 20
            var rest = number.magnitude
            repeat {
                at -= 1
                digits[at] = UInt8(0x30 + rest % 10)
                rest /= 10
            } while rest > 0
            if number < 0 {
                at -= 1
                digits[at] = 0x2d
            }
            bytes.append(contentsOf: digits[at...])
        }
    }

    private mutating func quote(_ text: String) {
        var text = text
        bytes.append(0x22)
        text.withUTF8 { utf8 in
            var start = 0
            for index in 0..<utf8.count {
                let byte = utf8[index]
                if byte >= 0x20 && byte != 0x22 && byte != 0x5c { continue }
                bytes.append(contentsOf: utf8[start..<index])
                start = index + 1
                switch byte {
                case 0x22: append("\\\"")
                case 0x5c: append("\\\\")
                case 0x0a: append("\\n")
                case 0x0d: append("\\r")
                case 0x09: append("\\t")
                default:
                    let hex: StaticString = "0123456789abcdef"
                    append("\\u00")
                    bytes.append(hex.utf8Start[Int(byte >> 4)])
                    bytes.append(hex.utf8Start[Int(byte & 15)])
                }
            }
            bytes.append(contentsOf: utf8[start...])
        }
        bytes.append(0x22)
    }
}

/// What can write itself as JSON: views, events, primitives. Domain types are not, on purpose.
package protocol JSONWritable {
    func write(to json: inout JSONWriter)
}

extension JSONWritable {
    package var jsonBytes: [UInt8] {
        var json = JSONWriter()
        write(to: &json)
        return json.bytes
    }
}

extension String: JSONWritable { package func write(to json: inout JSONWriter) { json.string(self) } }
extension Bool: JSONWritable { package func write(to json: inout JSONWriter) { json.boolean(self) } }
extension Int: JSONWritable { package func write(to json: inout JSONWriter) { json.integer(Int64(self)) } }
extension Int64: JSONWritable { package func write(to json: inout JSONWriter) { json.integer(self) } }
extension Double: JSONWritable { package func write(to json: inout JSONWriter) { json.number(self) } }
extension ID: JSONWritable { package func write(to json: inout JSONWriter) { json.string(description) } }
extension Timestamp: JSONWritable { package func write(to json: inout JSONWriter) { json.string(description) } }
extension LocalDate: JSONWritable { package func write(to json: inout JSONWriter) { json.string(description) } }
extension LocalTime: JSONWritable { package func write(to json: inout JSONWriter) { json.string(description) } }
extension Currency: JSONWritable { package func write(to json: inout JSONWriter) { json.string(code) } }
extension Money: JSONWritable {
    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("amount", amount)
            $0.field("currency", currency)
        }
    }
}
extension Array: JSONWritable where Element: JSONWritable {
    package func write(to json: inout JSONWriter) { json.array(of: self) { $1.write(to: &$0) } }
}
extension JSONValue: JSONWritable {
    package func write(to json: inout JSONWriter) {
        switch self {
        case .null: json.null()
        case .bool(let flag): json.boolean(flag)
        case .int(let number): json.integer(number)
        case .double(let number): json.number(number)
        case .string(let text): json.string(text)
        case .array(let values): json.array(of: values) { $1.write(to: &$0) }
        case .object(let object): object.write(to: &json)
        }
    }
}
extension JSONObject: JSONWritable {
    package func write(to json: inout JSONWriter) {
        json.object { json in for member in members { json.field(member.name, member.value) } }
    }
}
/// An enum of plain words writes itself by declaring `JSONWritable`.
extension JSONWritable where Self: RawRepresentable, RawValue == String {
    package func write(to json: inout JSONWriter) { json.string(rawValue) }
}
