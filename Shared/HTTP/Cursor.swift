/// Where a page of a list ended: the last sort key and identifier, opaque to clients (base64url).
///
/// It says nothing that the client has not just been shown, so it needs no signature; the handler still reads
/// every part as the type it must be.
package enum Cursor {
    /// `parts` hold no NUL: the edge refuses it in every text, so it can part them.
    package static func encode(_ parts: [String]) -> String {
        base64url(Array(parts.joined(separator: "\0").utf8))
    }

    package static func decode(_ text: String) throws(Problem) -> [String] {
        guard let bytes = bytes(base64url: text), let joined = String(validating: bytes, as: UTF8.self) else {
            throw Problem.invalid("cursor", "invalid_cursor", "Use nextCursor as it came.")
        }
        return joined.split(separator: "\0", omittingEmptySubsequences: false).map(String.init)
    }

    private static func base64url(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        var text: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for byte in bytes {
            bits = bits << 8 | UInt32(byte)
            count += 8
            while count >= 6 {
                count -= 6
                text.append(alphabet[Int(bits >> UInt32(count) & 63)])
            }
            bits &= (1 << UInt32(count)) - 1
        }
        if count > 0 { text.append(alphabet[Int(bits << UInt32(6 - count) & 63)]) }
        return String(decoding: text, as: UTF8.self)
    }

    private static func bytes(base64url text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for character in text.utf8 {
            let value: UInt8
            switch character {
            case 0x41...0x5a: value = character - 0x41
            case 0x61...0x7a: value = character - 0x61 + 26
            case 0x30...0x39: value = character - 0x30 + 52
            case 0x2d: value = 62
            case 0x5f: value = 63
            default: return nil
            }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(bits >> UInt32(count) & 255))
            }
            bits &= (1 << UInt32(count)) - 1
        }
        return bytes
    }
}
