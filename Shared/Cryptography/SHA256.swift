/// SHA-256 and HMAC-SHA-256.
package enum SHA256 {
    package static func digest(_ bytes: [UInt8]) -> [UInt8] { RawOpenSSL.digest(bytes) }

    /// HMAC (RFC 2104). Built on the digest because OpenSSL 3's own MAC object costs several times the hash.
    package static func authenticate(_ bytes: [UInt8], key: [UInt8]) -> [UInt8] {
        let key = key.count > 64 ? digest(key) : key
        var inner = [UInt8](repeating: 0x36, count: 64)
        var outer = [UInt8](repeating: 0x5c, count: 64)
        for (index, byte) in key.enumerated() {
            inner[index] ^= byte
            outer[index] ^= byte
        }
        return RawOpenSSL.digest(outer, RawOpenSSL.digest(inner, bytes))
    }
}

/// HKDF with SHA-256 (RFC 5869).
package enum HKDF {
    /// `count` bytes, at most 8160 as the RFC says.
    package static func derive(_ secret: [UInt8], salt: [UInt8] = [], info: [UInt8], count: Int) -> [UInt8] {
        precondition((0...255 * 32).contains(count), "HKDF gives at most 255 blocks")
        let extracted = SHA256.authenticate(secret, key: salt.isEmpty ? [UInt8](repeating: 0, count: 32) : salt)
        var result: [UInt8] = []
        var block: [UInt8] = []
        var number: UInt8 = 1
        while result.count < count {
            block = SHA256.authenticate(block + info + [number], key: extracted)
            result += block
            number &+= 1
        }
        return [UInt8](result.prefix(count))
    }
}

/// Bytes nobody can guess, from the kernel.
package enum Random {
    package static func bytes(_ count: Int) -> [UInt8] { RawSodium.random(count) }
}

/// Whether two secrets are equal, in a time that does not tell where they differ.
package func constantTimeEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    a.count == b.count && RawSodium.equal(a, b)
}
