/// A public key that checks Ed25519 signatures (RFC 8032): passkeys.
package struct Ed25519Key: Sendable {
    package let bytes: [UInt8]

    /// Nil unless there are 32 bytes.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        self.bytes = bytes
    }

    package func verify(_ signature: [UInt8], of message: [UInt8]) -> Bool {
        signature.count == 64 && RawSodium.verifyEd25519(signature, message, bytes)
    }
}
