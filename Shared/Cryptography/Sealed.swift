package enum CryptographyError: Error {
    case invalid, failed
    /// Made with a key that this process does not hold: another one may have it already.
    case unknownKey
}

/// AES-256-GCM with a random 96-bit nonce: version byte ‖ nonce ‖ ciphertext ‖ tag.
///
/// Random nonces are safe for 2³² messages under one key (NIST SP 800-38D 8.3); our keys are per tenant or
/// per patient. The version byte lets another algorithm arrive without rewriting what is stored.
package enum Sealed {
    private static let version: UInt8 = 1
    private static let overhead = 1 + 12 + 16

    /// `context` is authenticated but not stored: tenant|patient|table|column.
    package static func seal(_ plain: [UInt8], key: SymmetricKey, context: [UInt8]) throws -> [UInt8] {
        let nonce = Random.bytes(12)
        var box: [UInt8] = []
        box.reserveCapacity(plain.count + overhead)
        box.append(version)
        box += nonce
        guard RawOpenSSL.sealGCM(plain, key: key.bytes, nonce: nonce, context: context, into: &box) else {
            throw CryptographyError.failed
        }
        return box
    }

    /// The plain text; `invalid` when key or context differ or a bit has changed.
    package static func open(_ box: [UInt8], key: SymmetricKey, context: [UInt8]) throws -> [UInt8] {
        guard box.count >= overhead, box[0] == version else { throw CryptographyError.invalid }
        let plain = box.withUnsafeBufferPointer { box -> [UInt8]? in
            guard let start = box.baseAddress else { return nil }
            return RawOpenSSL.openGCM(
                UnsafeBufferPointer(rebasing: box[13...]), key: key.bytes, nonce: start + 1, context: context)
        }
        guard let plain else { throw CryptographyError.invalid }
        return plain
    }
}

/// 32 secret bytes; prints as ***.
package struct SymmetricKey: Sendable {
    package let bytes: [UInt8]

    package init(bytes: [UInt8]) { self.bytes = bytes }

    /// A fresh random key.
    package init() { bytes = Random.bytes(32) }

    /// From the 64 hexadecimal digits of a key file; white space around them is ignored.
    package init?(hex: [UInt8]) {
        let digits = hex.filter { $0 != 0x0a && $0 != 0x0d && $0 != 0x20 && $0 != 0x09 }
        guard digits.count == 64 else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: 64, by: 2) {
            guard let high = Character(UnicodeScalar(digits[index])).hexDigitValue,
                let low = Character(UnicodeScalar(digits[index + 1])).hexDigitValue,
                let byte = UInt8(exactly: high * 16 + low)
            else { return nil }
            bytes.append(byte)
        }
        self.bytes = bytes
    }

    /// HKDF-SHA-256 with this info (RFC 5869): one secret, many uses.
    package func derived(for use: String) -> SymmetricKey {
        SymmetricKey(bytes: HKDF.derive(bytes, info: [UInt8](use.utf8), count: 32))
    }
}

extension SymmetricKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "***" }
    package var debugDescription: String { "***" }
    package var customMirror: Mirror { Mirror(self, children: [(label: String?, value: Any)]()) }
}
