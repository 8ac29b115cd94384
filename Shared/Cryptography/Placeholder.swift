// SKELETON: signatures; the cryptography developer replaces the bodies and splits this file.

package enum CryptographyError: Error { case invalid, failed }

/// SHA-256 and HMAC-SHA-256.
package enum SHA256 {
    package static func digest(_ bytes: [UInt8]) -> [UInt8] { fatalError("skeleton") }
    package static func authenticate(_ bytes: [UInt8], key: [UInt8]) -> [UInt8] { fatalError("skeleton") }
}

/// AES-256-GCM with a random 96-bit nonce: version byte ‖ nonce ‖ ciphertext ‖ tag.
package enum Sealed {
    /// `context` is authenticated but not stored: tenant|patient|table|column.
    package static func seal(_ plain: [UInt8], key: SymmetricKey, context: [UInt8]) throws -> [UInt8] { fatalError("skeleton") }
    package static func open(_ box: [UInt8], key: SymmetricKey, context: [UInt8]) throws -> [UInt8] { fatalError("skeleton") }
}

/// 32 secret bytes; prints as ***.
package struct SymmetricKey: Sendable {
    package let bytes: [UInt8]
    package init(bytes: [UInt8]) { self.bytes = bytes }
    /// A fresh random key.
    package init() { fatalError("skeleton") }
    /// HKDF-SHA-256 with this info (RFC 5869): one secret, many uses.
    package func derived(for use: String) -> SymmetricKey { fatalError("skeleton") }
}

package enum Random {
    package static func bytes(_ count: Int) -> [UInt8] { fatalError("skeleton") }
}
