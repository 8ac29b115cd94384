import JSON

/// Stands in for the JSON module's reader until that lands. Strict, depth-limited; refuses duplicate names.
struct EventJSON {
    private var bytes: [UInt8]
    private var at = 0
    struct Malformed: Error {}

    static func read(_ bytes: [UInt8]) throws -> JSONValue {
        var reader = EventJSON(bytes: bytes)
        let value = try reader.value(depth: 0)
        guard reader.peek() == nil else { throw Malformed() }
        return value
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private mutating func peek() -> UInt8? {
        while at < bytes.count, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[at]) { at += 1 }
        return at < bytes.count ? bytes[at] : nil
    }

    private mutating func value(depth: Int) throws -> JSONValue {
        guard depth < 64, let first = peek() else { throw Malformed() }
        switch first {
        case 0x7b:
            at += 1
            var object = JSONObject()
            if peek() == 0x7d { at += 1; return .object(object) }
            while true {
                guard peek() == 0x22, case .string(let name) = try value(depth: depth + 1), peek() == 0x3a, !object.has(name)
                else { throw Malformed() }
                at += 1
                object.members.append((name, try value(depth: depth + 1)))
                let next = peek()
                at += 1
                if next == 0x7d { return .object(object) }
                guard next == 0x2c else { throw Malformed() }
            }
        case 0x5b:
            at += 1
            var values: [JSONValue] = []
            if peek() == 0x5d { at += 1; return .array(values) }
            while true {
                values.append(try value(depth: depth + 1))
                let next = peek()
                at += 1
                if next == 0x5d { return .array(values) }
                guard next == 0x2c else { throw Malformed() }
            }
        case 0x22: return .string(try string())
        case 0x74: return try word("true", .bool(true))
        case 0x66: return try word("false", .bool(false))
        case 0x6e: return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func word(_ text: String, _ value: JSONValue) throws -> JSONValue {
        guard bytes[at...].starts(with: text.utf8) else { throw Malformed() }
        at += text.utf8.count
        return value
    }

    private mutating func number() throws -> JSONValue {
        let start = at
        while at < bytes.count, "+-0123456789.eE".utf8.contains(bytes[at]) { at += 1 }
        let text = String(decoding: bytes[start..<at], as: UTF8.self)
        if let whole = Int64(text) { return .int(whole) }
        guard let double = Double(text), double.isFinite else { throw Malformed() }
        return .double(double)
    }

    private mutating func string() throws -> String {
        at += 1
        var text: [UInt16] = []
        var raw: [UInt8] = []
        func flushed(_ raw: [UInt8]) throws -> [UInt16] {
            guard let string = String(validating: raw, as: UTF8.self) else { throw Malformed() }
            return Array(string.utf16)
        }
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            if byte == 0x22 {
                text += try flushed(raw)
                guard let string = String(validating: text, as: UTF16.self) else { throw Malformed() }
                return string
            }
            guard byte >= 0x20 else { throw Malformed() }
            guard byte == 0x5c else { raw.append(byte); continue }
            guard at < bytes.count else { throw Malformed() }
            text += try flushed(raw)
            raw = []
            let escape = bytes[at]
            at += 1
            switch escape {
            case 0x22, 0x5c, 0x2f: text.append(UInt16(escape))
            case 0x62: text.append(8)
            case 0x66: text.append(12)
            case 0x6e: text.append(10)
            case 0x72: text.append(13)
            case 0x74: text.append(9)
            case 0x75:
                guard at + 4 <= bytes.count, let unit = UInt16(String(decoding: bytes[at..<at + 4], as: UTF8.self), radix: 16), unit != 0
                else { throw Malformed() }
                at += 4
                text.append(unit)
            default: throw Malformed()
            }
        }
        throw Malformed()
    }
}
