import Primitives

/// A parsed JSON document. Numbers that fit are integers; the reader refused what no 64-bit number can hold.
package enum JSONValue: Equatable, Sendable {
    case null
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    /// The word for this kind of value in an error: `string`, `number`, `object` …
    package var kind: String {
        switch self {
        case .null: "null"
        case .bool: "boolean"
        case .int, .double: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }
}

/// The members of a JSON object in the order they came. The reader has refused duplicate names.
package struct JSONObject: Equatable, Sendable {
    package var members: [(name: String, value: JSONValue)]

    package init(_ members: [(name: String, value: JSONValue)] = []) { self.members = members }

    package static func == (a: Self, b: Self) -> Bool {
        a.members.count == b.members.count
            && zip(a.members, b.members).allSatisfy { $0.name == $1.name && $0.value == $1.value }
    }

    package subscript(_ name: String) -> JSONValue? {
        get { members.first { $0.name == name }?.value }
        set {
            members.removeAll { $0.name == name }
            if let newValue { members.append((name, newValue)) }
        }
    }

    /// Whether the member is there at all, null included: what a merge patch (RFC 7396) asks.
    package func has(_ name: String) -> Bool { self[name] != nil }

    /// The member as a `T`. A request body has been checked against its schema before a handler reads it,
    /// so a throw here is our own mistake and becomes a 500.
    package func required<T: JSONReadable>(_ name: String, as _: T.Type = T.self) throws(JSONError) -> T {
        guard let value = self[name], let read = T(json: value) else { throw .member(name) }
        return read
    }

    /// The member as a `T`, or nil when it is missing or null. A member of the wrong kind throws.
    package func optional<T: JSONReadable>(_ name: String, as _: T.Type = T.self) throws(JSONError) -> T? {
        guard let value = self[name], value != .null else { return nil }
        guard let read = T(json: value) else { throw .member(name) }
        return read
    }
}

package enum JSONError: Error, Equatable {
    /// The text is not JSON that we accept. `offset` is in bytes; `reason` never quotes the text.
    case malformed(reason: String, offset: Int)
    case member(String)
}

/// What can be read out of a JSON value.
package protocol JSONReadable {
    init?(json: JSONValue)
}

extension String: JSONReadable {
    package init?(json: JSONValue) {
        guard case .string(let text) = json else { return nil }
        self = text
    }
}
extension Bool: JSONReadable {
    package init?(json: JSONValue) {
        guard case .bool(let flag) = json else { return nil }
        self = flag
    }
}
extension Int64: JSONReadable {
    package init?(json: JSONValue) {
        guard case .int(let number) = json else { return nil }
        self = number
    }
}
extension Int: JSONReadable {
    package init?(json: JSONValue) {
        guard case .int(let number) = json else { return nil }
        self.init(exactly: number)
    }
}
extension Double: JSONReadable {
    package init?(json: JSONValue) {
        switch json {
        case .int(let number): self = Double(number)
        case .double(let number): self = number
        default: return nil
        }
    }
}
extension JSONValue: JSONReadable {
    package init?(json: JSONValue) { self = json }
}
extension JSONObject: JSONReadable {
    package init?(json: JSONValue) {
        guard case .object(let object) = json else { return nil }
        self = object
    }
}
extension Array: JSONReadable where Element: JSONReadable {
    package init?(json: JSONValue) {
        guard case .array(let values) = json else { return nil }
        var result: [Element] = []
        result.reserveCapacity(values.count)
        for value in values {
            guard let element = Element(json: value) else { return nil }
            result.append(element)
        }
        self = result
    }
}
extension ID: JSONReadable {
    package init?(json: JSONValue) {
        guard case .string(let text) = json else { return nil }
        self.init(text)
    }
}
extension Timestamp: JSONReadable {
    package init?(json: JSONValue) {
        guard case .string(let text) = json else { return nil }
        self.init(text)
    }
}
extension LocalDate: JSONReadable {
    package init?(json: JSONValue) {
        guard case .string(let text) = json else { return nil }
        self.init(text)
    }
}
extension LocalTime: JSONReadable {
    package init?(json: JSONValue) {
        guard case .string(let text) = json else { return nil }
        self.init(text)
    }
}
extension Currency: JSONReadable {
    package init?(json: JSONValue) {
        guard case .string(let text) = json else { return nil }
        self.init(text)
    }
}
extension Money: JSONReadable {
    package init?(json: JSONValue) {
        guard case .object(let object) = json, case .int(let amount)? = object["amount"],
            let code = object["currency"], let currency = Currency(json: code),
            amount.magnitude <= Money.limit.magnitude
        else { return nil }
        self.init(amount, currency)
    }
}
/// An enum of plain words reads itself by declaring `JSONReadable`.
extension JSONReadable where Self: RawRepresentable, RawValue == String {
    package init?(json: JSONValue) {
        guard case .string(let text) = json else { return nil }
        self.init(rawValue: text)
    }
}
