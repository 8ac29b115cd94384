import Primitives

extension Schema {
    /// Reads a query string (without `?`) into the types of `fields`, and everything that is wrong with it.
    ///
    /// `+` and `%20` are spaces. A parameter without a value counts as missing, as browsers send empty filters;
    /// one that occurs twice is refused, because two readers would pick different ones. Lists are comma-separated.
    package static func query(_ fields: [Field], from queryString: String) -> (JSONObject, [FieldError]) {
        var object = JSONObject()
        var errors: [FieldError] = []
        var seen: Set<String> = []
        for pair in queryString.utf8.split(separator: 0x26) where errors.count < errorLimit {
            let halves = pair.split(separator: 0x3d, maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = decoded(halves[0]), let text = halves.count > 1 ? decoded(halves[1]) : "" else {
                errors.append(
                    .init(pointer: "", code: "invalid_encoding", detail: "The query is not percent-encoded UTF-8."))
                continue
            }
            guard let field = fields.first(where: { $0.name == name }) else {
                errors.append(.init(pointer: "", code: "unknown_field", detail: "The query has an unknown parameter."))
                continue
            }
            guard seen.insert(name).inserted else {
                errors.append(.init(pointer: "/\(name)", code: "duplicate", detail: "Give this parameter once."))
                continue
            }
            guard !text.isEmpty else { continue }
            let value = field.schema.typed(text)
            errors.append(contentsOf: field.schema.check(value, at: "/\(name)"))
            object[name] = value
        }
        for field in fields where field.isRequired && object[field.name] == nil {
            errors.append(.init(pointer: "/\(field.name)", code: "required", detail: "This parameter is required."))
        }
        return (object, errors)
    }

    /// The text as the JSON value this schema wants; text that is no such value stays text, for `check` to refuse.
    private func typed(_ text: String) -> JSONValue {
        switch self {
        case .integer:
            let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
            guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int64(text) else {
                return .string(text)
            }
            return .int(number)
        case .number:
            guard case .some(let value) = try? JSONValue.parse(Array(text.utf8)), value.kind == "number" else {
                return .string(text)
            }
            return value
        case .boolean:
            return text == "true" ? .bool(true) : text == "false" ? .bool(false) : .string(text)
        case .instant:
            // An offset's plus that the client did not encode has become a space.
            return .string(text.prefix(11) + String(text.dropFirst(11).map { $0 == " " ? "+" : $0 }))
        case .list(of: let element, _, _):
            return .array(text.split(separator: ",").map { element.typed(String($0)) })
        case .nullable(let inner):
            return inner.typed(text)
        default:
            return .string(text)
        }
    }

    /// Percent-decoded text; nil for a broken escape, NUL or invalid UTF-8.
    private static func decoded(_ encoded: Substring.UTF8View) -> String? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(encoded.count)
        var rest = encoded.makeIterator()
        while let byte = rest.next() {
            switch byte {
            case 0x2b: bytes.append(0x20)
            case 0x25:
                guard let high = rest.next().flatMap(nibble), let low = rest.next().flatMap(nibble) else { return nil }
                bytes.append(high << 4 | low)
            default: bytes.append(byte)
            }
        }
        return bytes.contains(0) ? nil : String(validating: bytes, as: UTF8.self)
    }

    private static func nibble(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 0x30...0x39: digit - 0x30
        case 0x41...0x46: digit - 0x37
        case 0x61...0x66: digit - 0x57
        default: nil
        }
    }
}
