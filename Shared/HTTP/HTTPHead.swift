/// Reads a request's head: the part of the parser that looks at whole lines.
enum HTTPHead {
    enum Framing: Equatable {
        case none
        case length(Int)
        case chunked
    }

    /// `bytes` are all lines of the head, each with its CRLF, without the empty one; none has a bare LF.
    static func read(
        _ bytes: UnsafeRawBufferPointer, requestLine: Int, _ limits: HTTPParser.Limits
    ) throws(HTTPRefusal) -> (HTTPMessage, Framing) {
        var message = HTTPMessage()
        try readRequestLine(UnsafeRawBufferPointer(rebasing: bytes[..<requestLine]), into: &message)
        message.headers.reserveCapacity(12)
        var fields = FramingFields()
        var at = requestLine + 2
        while at < bytes.count {
            var end = at
            while bytes[end] != 0x0a { end += 1 }
            guard message.headers.count < limits.headers else { throw .headersTooLarge }
            let field = try field(UnsafeRawBufferPointer(rebasing: bytes[at..<end - 1]))
            try fields.note(field.name, field.value)
            message.headers.append(field)
            at = end + 1
        }
        let decided = try fields.decide(&message, limits)
        return (message, decided)
    }

    // MARK: request line

    private static func readRequestLine(
        _ line: UnsafeRawBufferPointer, into message: inout HTTPMessage
    ) throws(HTTPRefusal) {
        guard let space = line.firstIndex(of: 0x20), space > 0, line[..<space].allSatisfy(isToken) else {
            throw .malformed
        }
        let rest = line[(space + 1)...]
        guard let end = rest.firstIndex(of: 0x20), end > space + 1 else { throw .malformed }
        message.isOldVersion = try isOldVersion(line[(end + 1)...])
        message.method = try method(line[..<space])
        try readTarget(UnsafeRawBufferPointer(rebasing: line[(space + 1)..<end]), into: &message)
    }

    private static func method(_ bytes: Slice<UnsafeRawBufferPointer>) throws(HTTPRefusal) -> String {
        for known: StaticString in ["GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS"]
        where known.utf8CodeUnitCount == bytes.count {
            let name = UnsafeRawBufferPointer(start: known.utf8Start, count: bytes.count)
            if name.elementsEqual(bytes) { return known.description }
        }
        throw .unknownMethod
    }

    /// `HTTP/1.x`: 0 is old, a later minor version than ours is treated as ours (RFC 9110 2.5).
    private static func isOldVersion(_ bytes: Slice<UnsafeRawBufferPointer>) throws(HTTPRefusal) -> Bool {
        let version = UnsafeRawBufferPointer(rebasing: bytes)
        guard version.count == 8, version.starts(with: "HTTP/".utf8), version[6] == 0x2e,
            (0x30...0x39).contains(version[5]), (0x30...0x39).contains(version[7])
        else { throw .malformed }
        guard version[5] == 0x31 else { throw .badVersion }
        return version[7] == 0x30
    }

    private static func readTarget(
        _ target: UnsafeRawBufferPointer, into message: inout HTTPMessage
    ) throws(HTTPRefusal) {
        guard isTarget(target) else { throw .badTarget }
        if target[0] == 0x2f { return split(target[...], into: &message) }
        if target.count == 1, target[0] == 0x2a, message.method == "OPTIONS" {
            message.path = "*"
            return
        }
        // Absolute form (RFC 9112 3.2.2): the authority says what Host says; only the rest matters to us.
        let scheme = target.prefix(8).map { $0 | 0x20 }
        let skipped = scheme.starts(with: "http://".utf8) ? 7 : scheme.elementsEqual("https://".utf8) ? 8 : 0
        guard skipped > 0 else { throw .badTarget }
        let rest = target[skipped...]
        let end = rest.firstIndex { $0 == 0x2f || $0 == 0x3f } ?? target.count
        guard end > skipped, !target[skipped..<end].contains(0x40) else { throw .badTarget }
        split(target[end...], into: &message)
        if message.path.isEmpty { message.path = "/" }
    }

    private static func split(_ target: Slice<UnsafeRawBufferPointer>, into message: inout HTTPMessage) {
        let mark = target.firstIndex(of: 0x3f) ?? target.endIndex
        message.path = String(decoding: UnsafeRawBufferPointer(rebasing: target[..<mark]), as: UTF8.self)
        guard mark < target.endIndex else { return }
        message.query = String(decoding: UnsafeRawBufferPointer(rebasing: target[(mark + 1)...]), as: UTF8.self)
    }

    /// Only what RFC 3986 lets a path or query hold; every `%` with two digits, and never NUL.
    private static func isTarget(_ target: UnsafeRawBufferPointer) -> Bool {
        var at = 0
        while at < target.count {
            switch target[at] {
            case 0x25:
                guard at + 2 < target.count, let high = hexDigit(target[at + 1]), let low = hexDigit(target[at + 2]),
                    high + low > 0
                else { return false }
                at += 3
            case 0x22, 0x23, 0x3c, 0x3e, 0x5c, 0x5e, 0x60, 0x7b...0x7d: return false
            case 0x21...0x7e: at += 1
            default: return false
            }
        }
        return true
    }

    // MARK: fields

    /// A header line without its CRLF. Folded lines start with a space, which no name may hold.
    static func field(_ line: UnsafeRawBufferPointer) throws(HTTPRefusal) -> (name: String, value: String) {
        var colon = 0
        while colon < line.count, isToken(line[colon]) { colon += 1 }
        guard colon > 0, colon < line.count, line[colon] == 0x3a else { throw .badHeader }
        var start = colon + 1
        var end = line.count
        while start < end, line[start] == 0x20 || line[start] == 0x09 { start += 1 }
        while end > start, line[end - 1] == 0x20 || line[end - 1] == 0x09 { end -= 1 }
        let raw = UnsafeRawBufferPointer(rebasing: line[start..<end])
        var isASCII = true
        for byte in raw {
            guard isFieldByte(byte) else { throw .badHeader }
            isASCII = isASCII && byte < 0x80
        }
        let name = String(unsafeUninitializedCapacity: colon) { buffer in
            for index in 0..<colon {
                let byte = line[index]
                buffer.initializeElement(at: index, to: (0x41...0x5a).contains(byte) ? byte | 0x20 : byte)
            }
            return colon
        }
        if isASCII { return (name, String(decoding: raw, as: UTF8.self)) }
        // Neither repaired nor guessed: two values that differ must not become one.
        guard let value = String(validating: raw, as: UTF8.self) else { throw .badHeader }
        return (name, value)
    }

    @inline(__always)
    static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x5e...0x7a, 0x21, 0x23...0x27, 0x2a, 0x2b, 0x2d, 0x2e, 0x7c, 0x7e: true
        default: false
        }
    }

    @inline(__always)
    static func isFieldByte(_ byte: UInt8) -> Bool { (byte >= 0x20 && byte != 0x7f) || byte == 0x09 }

    static func hexDigit(_ byte: UInt8) -> Int? {
        switch byte {
        case 0x30...0x39: Int(byte) - 0x30
        case 0x41...0x46: Int(byte) - 0x37
        case 0x61...0x66: Int(byte) - 0x57
        default: nil
        }
    }
}

/// What the headers say about where the message ends and what follows it.
private struct FramingFields {
    private var length: Int?
    private var coding: String?
    private var hosts = 0
    private var closes = false
    private var keepsAlive = false
    private var expectsContinue = false

    mutating func note(_ name: String, _ value: String) throws(HTTPRefusal) {
        switch name {
        case "content-length":
            guard length == nil else { throw .badLength }
            length = try number(value)
        case "transfer-encoding":
            guard coding == nil else { throw .badLength }
            coding = value.lowercased()
        case "host":
            hosts += 1
            guard hosts == 1, value.utf8.allSatisfy(isHostByte) else { throw .badHost }
        case "connection":
            for option in value.utf8.split(separator: 0x2c) {
                let word = String(Substring(option)).lowercased().trimmed
                closes = closes || word == "close"
                keepsAlive = keepsAlive || word == "keep-alive"
            }
        case "expect":
            guard value.lowercased() == "100-continue" else { throw .badExpectation }
            expectsContinue = true
        default: return
        }
    }

    func decide(_ message: inout HTTPMessage, _ limits: HTTPParser.Limits) throws(HTTPRefusal) -> HTTPHead.Framing {
        guard hosts == 1 || message.isOldVersion else { throw .badHost }
        message.keepsAlive = message.isOldVersion ? keepsAlive && !closes : !closes
        message.expectsContinue = expectsContinue && !message.isOldVersion
        if let coding {
            guard length == nil, !message.isOldVersion else { throw .badLength }
            guard coding == "chunked" else { throw .unknownCoding }
            return .chunked
        }
        guard let length else { return .none }
        guard length <= limits.body else { throw .bodyTooLarge }
        return .length(length)
    }

    /// Digits only; a number too large to hold is simply too large.
    private func number(_ text: String) throws(HTTPRefusal) -> Int {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { throw .badLength }
        guard let number = Int(text) else { throw .bodyTooLarge }
        return number
    }

    private func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e, 0x3a, 0x5b, 0x5d, 0x25: true
        case 0x21, 0x24, 0x26...0x2c, 0x3b, 0x3d: true
        default: false
        }
    }
}

extension String {
    /// Without spaces and tabs at its ends.
    var trimmed: String {
        var text = self[...]
        while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return String(text)
    }
}
