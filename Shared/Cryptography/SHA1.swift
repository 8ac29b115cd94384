/// SHA-1 and HMAC-SHA-1, for protocols that prescribe them: one-time codes (RFC 6238) and breach lists. HMAC does not
/// need the collision resistance that SHA-1 has lost; nothing else may use this.
package enum SHA1 {
    package static func digest(_ bytes: [UInt8]) -> [UInt8] { RawOpenSSL.sha1(bytes) }

    /// HMAC (RFC 2104), 20 bytes.
    package static func authenticate(_ bytes: [UInt8], key: [UInt8]) -> [UInt8] {
        let key = key.count > 64 ? digest(key) : key
        var inner = [UInt8](repeating: 0x36, count: 64)
        var outer = [UInt8](repeating: 0x5c, count: 64)
        for (index, byte) in key.enumerated() {
            inner[index] ^= byte
            outer[index] ^= byte
        }
        return digest(outer + digest(inner + bytes))
    }
}
