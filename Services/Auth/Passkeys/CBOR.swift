/// The part of CBOR (RFC 8949) that authenticators write: definite lengths, integers, strings, arrays, maps, booleans
/// and null. Everything else is refused, as is nesting deeper than `maxDepth`.
indirect enum CBOR: Equatable {
    case int(Int64)
    case bytes([UInt8])
    case text(String)
    case array([CBOR])
    /// In the order they came; a key that comes twice is refused.
    case map([(key: CBOR, value: CBOR)])
    case bool(Bool)
    case null

    static let maxDepth = 6

    enum Refusal: Error { case malformed }

    /// The value at the beginning of `bytes`, and how many bytes it took.
    static func first(in bytes: [UInt8]) throws(Refusal) -> (value: CBOR, length: Int) {
        var reader = CBORReader(bytes: bytes)
        let value = try reader.value(depth: 0)
        return (value, reader.position)
    }

    subscript(key: CBOR) -> CBOR? {
        guard case .map(let members) = self else { return nil }
        return members.first { $0.key == key }?.value
    }

    subscript(key: String) -> CBOR? { self[.text(key)] }
    subscript(key: Int64) -> CBOR? { self[.int(key)] }

    static func == (a: CBOR, b: CBOR) -> Bool {
        switch (a, b) {
        case (.int(let a), .int(let b)): a == b
        case (.bytes(let a), .bytes(let b)): a == b
        case (.text(let a), .text(let b)): a == b
        case (.array(let a), .array(let b)): a == b
        case (.map(let a), .map(let b)): a.count == b.count && zip(a, b).allSatisfy { $0.key == $1.key && $0.value == $1.value }
        case (.bool(let a), .bool(let b)): a == b
        case (.null, .null): true
        default: false
        }
    }
}

private struct CBORReader {
    let bytes: [UInt8]
    var position = 0

    mutating func value(depth: Int) throws(CBOR.Refusal) -> CBOR {
        guard depth < CBOR.maxDepth else { throw .malformed }
        let head = try byte()
        let info = head & 0x1f
        switch head >> 5 {
        case 0: return .int(try number(info))
        case 1: return .int(-1 - (try number(info)))
        case 2: return .bytes(try take(try number(info)))
        case 3:
            guard let text = String(validating: try take(try number(info)), as: UTF8.self) else { throw .malformed }
            return .text(text)
        case 4: return try array(try number(info), depth)
        case 5: return try map(try number(info), depth)
        default:
            switch head {
            case 0xf4: return .bool(false)
            case 0xf5: return .bool(true)
            case 0xf6: return .null
            default: throw .malformed
            }
        }
    }

    private mutating func array(_ count: Int64, _ depth: Int) throws(CBOR.Refusal) -> CBOR {
        guard count <= Int64(bytes.count - position) else { throw .malformed }  // Each element takes a byte at least.
        var elements: [CBOR] = []
        for _ in 0..<count { elements.append(try value(depth: depth + 1)) }
        return .array(elements)
    }

    private mutating func map(_ count: Int64, _ depth: Int) throws(CBOR.Refusal) -> CBOR {
        guard count <= 64 else { throw .malformed }
        var members: [(key: CBOR, value: CBOR)] = []
        for _ in 0..<count {
            let key = try value(depth: depth + 1)
            guard !members.contains(where: { $0.key == key }) else { throw .malformed }
            members.append((key, try value(depth: depth + 1)))
        }
        return .map(members)
    }

    /// The argument of a head: never more than 63 bits, so nothing here can overflow.
    private mutating func number(_ info: UInt8) throws(CBOR.Refusal) -> Int64 {
        let width: Int
        switch info {
        case 0..<24: return Int64(info)
        case 24...27: width = 1 << Int(info - 24)
        default: throw .malformed  // 31 is an indefinite length.
        }
        var number: UInt64 = 0
        for _ in 0..<width { number = number << 8 | UInt64(try byte()) }
        guard let number = Int64(exactly: number) else { throw .malformed }
        return number
    }

    private mutating func byte() throws(CBOR.Refusal) -> UInt8 {
        guard position < bytes.count else { throw .malformed }
        defer { position += 1 }
        return bytes[position]
    }

    private mutating func take(_ count: Int64) throws(CBOR.Refusal) -> [UInt8] {
        guard count <= Int64(bytes.count - position) else { throw .malformed }
        let end = position + Int(count)
        defer { position = end }
        return [UInt8](bytes[position..<end])
    }
}
