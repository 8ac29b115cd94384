import JSON

/// Stands in for the JSON module's reader until that lands: strict, flat, and without escapes, which neither our
/// tokens nor our keys contain.
enum TokenJSON {
    static func object(_ bytes: [UInt8]) -> JSONObject? {
        var rest = bytes[...]
        guard let value = value(&rest, depth: 0), skip(&rest) == nil, case .object(let object) = value else { return nil }
        return object
    }

    private static func skip(_ rest: inout ArraySlice<UInt8>) -> UInt8? {
        while let byte = rest.first, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { rest.removeFirst() }
        return rest.first
    }

    private static func value(_ rest: inout ArraySlice<UInt8>, depth: Int) -> JSONValue? {
        guard depth < 8, let byte = skip(&rest) else { return nil }
        switch byte {
        case 0x7b: return object(&rest, depth: depth)
        case 0x5b: return array(&rest, depth: depth)
        case 0x22: return string(&rest).map { .string($0) }
        case 0x2d, 0x30...0x39:
            let text = String(decoding: rest.prefix { (0x30...0x39).contains($0) || $0 == 0x2e || $0 == 0x2d }, as: UTF8.self)
            rest = rest.dropFirst(text.utf8.count)
            return Int64(text).map { .int($0) } ?? Double(text).map { .double($0) }
        default:
            for (word, value) in [("true", JSONValue.bool(true)), ("false", .bool(false)), ("null", .null)]
            where rest.starts(with: word.utf8) {
                rest = rest.dropFirst(word.utf8.count)
                return value
            }
            return nil
        }
    }

    private static func string(_ rest: inout ArraySlice<UInt8>) -> String? {
        rest.removeFirst()
        let text = rest.prefix { $0 != 0x22 && $0 != 0x5c && $0 >= 0x20 }
        rest = rest.dropFirst(text.count)
        guard rest.popFirst() == 0x22 else { return nil }
        return String(validating: text, as: UTF8.self)
    }

    private static func object(_ rest: inout ArraySlice<UInt8>, depth: Int) -> JSONValue? {
        rest.removeFirst()
        var object = JSONObject()
        if skip(&rest) == 0x7d {
            rest.removeFirst()
            return .object(object)
        }
        while true {
            guard skip(&rest) == 0x22, let name = string(&rest), object[name] == nil, skip(&rest) == 0x3a else { return nil }
            rest.removeFirst()
            guard let member = value(&rest, depth: depth + 1) else { return nil }
            object.members.append((name, member))
            let next = skip(&rest)
            guard next != nil else { return nil }
            rest.removeFirst()
            if next == 0x7d { return .object(object) }
            guard next == 0x2c else { return nil }
        }
    }

    private static func array(_ rest: inout ArraySlice<UInt8>, depth: Int) -> JSONValue? {
        rest.removeFirst()
        var values: [JSONValue] = []
        if skip(&rest) == 0x5d {
            rest.removeFirst()
            return .array(values)
        }
        while true {
            guard let element = value(&rest, depth: depth + 1) else { return nil }
            values.append(element)
            let next = skip(&rest)
            guard next != nil else { return nil }
            rest.removeFirst()
            if next == 0x5d { return .array(values) }
            guard next == 0x2c else { return nil }
        }
    }
}
