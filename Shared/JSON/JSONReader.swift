extension JSONValue {
    /// How deep arrays and objects may nest.
    package static let depthLimit = 64

    /// Reads one JSON document (RFC 8259), strictly: what two readers could understand differently is refused.
    ///
    /// Refused besides bad grammar: invalid UTF-8, U+0000 in any spelling, lone surrogates, duplicate member
    /// names, integers beyond 64 bits, numbers beyond a finite double, nesting beyond `maxDepth`, trailing bytes.
    package static func parse(_ bytes: [UInt8], maxDepth: Int = depthLimit) throws(JSONError) -> JSONValue {
        let result = bytes.withUnsafeBufferPointer { buffer in
            Result { () throws(JSONError) in try JSONReader.document(buffer, maxDepth: maxDepth) }
        }
        return try result.get()
    }
}

/// One pass over the bytes. Every index is compared with the end before it is used; recursion is bounded by depth.
private struct JSONReader {
    private let bytes: UnsafeBufferPointer<UInt8>
    private let maxDepth: Int
    private var at = 0
    private var depth = 0

    static func document(_ bytes: UnsafeBufferPointer<UInt8>, maxDepth: Int) throws(JSONError) -> JSONValue {
        var reader = JSONReader(bytes: bytes, maxDepth: maxDepth)
        reader.skipSpace()
        let value = try reader.value()
        reader.skipSpace()
        guard reader.at == bytes.count else { throw reader.refused("something follows the document") }
        return value
    }

    private init(bytes: UnsafeBufferPointer<UInt8>, maxDepth: Int) {
        self.bytes = bytes
        self.maxDepth = maxDepth
    }

    private func refused(_ reason: String) -> JSONError { .malformed(reason: reason, offset: at) }

    /// The byte at hand; 0, which no grammar rule wants, at the end.
    private var byte: UInt8 { at < bytes.count ? bytes[at] : 0 }

    private mutating func skipSpace() {
        while at < bytes.count {
            switch bytes[at] {
            case 0x20, 0x0a, 0x0d, 0x09: at += 1
            default: return
            }
        }
    }

    private mutating func value() throws(JSONError) -> JSONValue {
        switch byte {
        case 0x7b: return .object(try object())
        case 0x5b: return .array(try array())
        case 0x22: return .string(try string())
        case 0x2d, 0x30...0x39: return try number()
        case 0x74: return try word("true", .bool(true))
        case 0x66: return try word("false", .bool(false))
        case 0x6e: return try word("null", .null)
        default: throw refused(at < bytes.count ? "a value was expected" : "the document ends too early")
        }
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
        for index in 0..<word.utf8CodeUnitCount {
            guard byte == word.utf8Start[index] else { throw refused("a value was expected") }
            at += 1
        }
        return value
    }

    // MARK: containers

    private mutating func enter() throws(JSONError) {
        depth += 1
        guard depth <= maxDepth else { throw refused("the document nests too deeply") }
        at += 1
        skipSpace()
    }

    /// After an element: true when another follows, false past the closing byte.
    private mutating func another(closing: UInt8) throws(JSONError) -> Bool {
        skipSpace()
        let found = byte
        guard found == 0x2c || found == closing else { throw refused("a comma or the end was expected") }
        at += 1
        if found == 0x2c {
            skipSpace()
            return true
        }
        depth -= 1
        return false
    }

    private mutating func array() throws(JSONError) -> [JSONValue] {
        try enter()
        var values: [JSONValue] = []
        if byte == 0x5d {
            at += 1
            depth -= 1
            return values
        }
        repeat { values.append(try value()) } while try another(closing: 0x5d)
        return values
    }

    private mutating func object() throws(JSONError) -> JSONObject {
        try enter()
        var members: [(name: String, value: JSONValue)] = []
        if byte == 0x7d {
            at += 1
            depth -= 1
            return JSONObject(members)
        }
        // A set pays off only for objects larger than ours ever are.
        var names: Set<String> = []
        repeat {
            guard byte == 0x22 else { throw refused("a member name was expected") }
            let name = try string()
            let isNew =
                members.count < 16
                ? !members.contains { $0.name == name } : names.insert(name).inserted
            guard isNew else { throw refused("a member name occurs twice") }
            skipSpace()
            guard byte == 0x3a else { throw refused("a colon was expected") }
            at += 1
            skipSpace()
            members.append((name, try value()))
            if members.count == 16 { names = Set(members.map(\.name)) }
        } while try another(closing: 0x7d)
        return JSONObject(members)
    }

    // MARK: strings

    private mutating func string() throws(JSONError) -> String {
        at += 1
        let start = at
        while at < bytes.count {
            switch bytes[at] {
            case 0x22:
                let text = try validated(UnsafeBufferPointer(rebasing: bytes[start..<at]))
                at += 1
                return text
            case 0x5c: return try escapedString(from: start)
            case 0..<0x20: throw refused("a control character must be escaped")
            default: at += 1
            }
        }
        throw refused("a string does not end")
    }

    private func validated(_ utf8: some Sequence<UInt8>) throws(JSONError) -> String {
        guard let text = String(validating: utf8, as: UTF8.self) else { throw refused("a string is not UTF-8") }
        return text
    }

    /// The slow way, from the first backslash on.
    private mutating func escapedString(from start: Int) throws(JSONError) -> String {
        var text = Array(bytes[start..<at])
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            switch byte {
            case 0x22: return try validated(text)
            case 0x5c: try escape(into: &text)
            case 0..<0x20: throw refused("a control character must be escaped")
            default: text.append(byte)
            }
        }
        throw refused("a string does not end")
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
        let letter = byte
        at += 1
        switch letter {
        case 0x22, 0x5c, 0x2f: text.append(letter)
        case 0x62: text.append(0x08)
        case 0x66: text.append(0x0c)
        case 0x6e: text.append(0x0a)
        case 0x72: text.append(0x0d)
        case 0x74: text.append(0x09)
        case 0x75: text.append(contentsOf: String(try scalar()).utf8)
        default: throw refused("an unknown escape")
        }
    }

    /// The scalar after `\u`, joining a surrogate pair.
    private mutating func scalar() throws(JSONError) -> Character {
        var code = try hex4()
        if (0xd800...0xdbff).contains(code) {
            guard byte == 0x5c else { throw refused("half of a surrogate pair") }
            at += 1
            guard byte == 0x75 else { throw refused("half of a surrogate pair") }
            at += 1
            let low = try hex4()
            guard (0xdc00...0xdfff).contains(low) else { throw refused("half of a surrogate pair") }
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00)
        }
        guard code != 0 else { throw refused("U+0000 is not accepted") }
        guard let scalar = Unicode.Scalar(code) else { throw refused("half of a surrogate pair") }
        return Character(scalar)
    }

    private mutating func hex4() throws(JSONError) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            let digit: UInt8
            switch byte {
            case 0x30...0x39: digit = byte - 0x30
            case 0x41...0x46: digit = byte - 0x37
            case 0x61...0x66: digit = byte - 0x57
            default: throw refused("four hexadecimal digits were expected")
            }
            code = code << 4 | UInt32(digit)
            at += 1
        }
        return code
    }

    // MARK: numbers

    private mutating func number() throws(JSONError) -> JSONValue {
        let start = at
        let isNegative = byte == 0x2d
        if isNegative { at += 1 }
        // Counted downwards, because the smallest Int64 has no positive twin.
        var whole: Int64 = 0
        var fits = true
        let first = at
        while case 0x30...0x39 = byte {
            let (tens, overflow) = whole.multipliedReportingOverflow(by: 10)
            let (next, more) = tens.subtractingReportingOverflow(Int64(byte - 0x30))
            fits = fits && !overflow && !more
            whole = next
            at += 1
        }
        guard at > first else { throw refused("a digit was expected") }
        guard at == first + 1 || bytes[first] != 0x30 else { throw refused("a number starts with a zero") }
        let isFraction = byte == 0x2e
        if isFraction {
            at += 1
            try digits()
        }
        let isScaled = byte == 0x65 || byte == 0x45
        if isScaled {
            at += 1
            if byte == 0x2b || byte == 0x2d { at += 1 }
            try digits()
        }
        if !isFraction && !isScaled {
            guard fits, isNegative || whole != .min else { throw refused("an integer beyond 64 bits") }
            return .int(isNegative ? whole : -whole)
        }
        return try double(from: start)
    }

    private mutating func digits() throws(JSONError) {
        let first = at
        while case 0x30...0x39 = byte { at += 1 }
        guard at > first else { throw refused("a digit was expected") }
    }

    /// A number that is written with a fraction or an exponent; a whole one is an integer all the same (`1.0`, `1e2`).
    private func double(from start: Int) throws(JSONError) -> JSONValue {
        guard at - start <= 128 else { throw refused("a number is too long") }
        let text = String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<at]), as: UTF8.self)
        guard let number = Double(text), number.isFinite else { throw refused("a number beyond a 64-bit double") }
        if let whole = Int64(exactly: number) { return .int(whole) }
        return .double(number)
    }
}
