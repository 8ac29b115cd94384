/// Parameters of `application/x-www-form-urlencoded`, from a body or a query, as OAuth sends them (RFC 6749,
/// appendix B): what nobody asks for is ignored, and asking for one that occurs twice is the client's mistake.
package struct Form: Sendable {
    package struct Duplicate: Error, Equatable { package let name: String }

    private var pairs: [(name: String, value: String)] = []

    /// More pairs than this is no request that anybody makes.
    private static let limit = 64

    /// Nil when it is not percent-encoded UTF-8, holds NUL, or has too many parameters.
    package init?(_ bytes: some Collection<UInt8>) {
        for pair in bytes.split(separator: 0x26) {
            let halves = pair.split(separator: 0x3d, maxSplits: 1, omittingEmptySubsequences: false)
            guard pairs.count < Self.limit, let name = Self.decoded(halves[0]),
                let value = halves.count > 1 ? Self.decoded(halves[1]) : ""
            else { return nil }
            pairs.append((name, value))
        }
    }

    package init() {}

    /// The parameter's value; nil when it is missing or empty, which RFC 6749 3.1 holds for the same.
    package func value(_ name: String) throws(Duplicate) -> String? {
        let found = pairs.filter { $0.name == name }
        guard found.count <= 1 else { throw Duplicate(name: name) }
        return found.first.flatMap { $0.value.isEmpty ? nil : $0.value }
    }

    /// All values of a parameter that may be repeated, such as `resource` (RFC 8707).
    package func values(_ name: String) -> [String] {
        pairs.filter { $0.name == name && !$0.value.isEmpty }.map(\.value)
    }

    /// Text as one value of a form or query.
    package static func encoded(_ text: String) -> String {
        let digits = [UInt8]("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e: bytes.append(byte)
            default: bytes += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func decoded(_ encoded: some Collection<UInt8>) -> String? {
        var bytes: [UInt8] = []
        var rest = encoded.makeIterator()
        while let byte = rest.next() {
            switch byte {
            case 0x2b: bytes.append(0x20)
            case 0x25:
                guard let high = rest.next().flatMap(HTTPHead.hexDigit), let low = rest.next().flatMap(HTTPHead.hexDigit),
                    let value = UInt8(exactly: high << 4 | low)
                else { return nil }
                bytes.append(value)
            default: bytes.append(byte)
            }
        }
        return bytes.contains(0) ? nil : String(validating: bytes, as: UTF8.self)
    }
}
