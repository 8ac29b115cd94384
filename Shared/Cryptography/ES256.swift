/// The private half of a P-256 pair: signs access tokens (ES256, RFC 7518 3.4). Only auth holds one.
package struct SigningKey: Sendable {
    private let raw: RawP256
    package let verifying: VerifyingKey

    private init(_ raw: RawP256) throws {
        guard let point = raw.point, let verifying = VerifyingKey(point: point) else { throw CryptographyError.invalid }
        self.raw = raw
        self.verifying = verifying
    }

    /// Reads an unencrypted PEM private key on P-256; any other key is `invalid`.
    package init(pem: [UInt8]) throws {
        guard let raw = RawP256.privateKey(pem: pem) else { throw CryptographyError.invalid }
        try self.init(raw)
    }

    package static func generate() throws -> SigningKey {
        guard let raw = RawP256.generate() else { throw CryptographyError.failed }
        return try SigningKey(raw)
    }

    /// PKCS #8: for the key file, which must be readable by its owner only.
    package func pem() throws -> [UInt8] {
        guard let pem = raw.pem else { throw CryptographyError.failed }
        return pem
    }

    /// r ‖ s, 64 bytes.
    package func sign(_ message: [UInt8]) throws -> [UInt8] {
        guard let signature = raw.sign(message) else { throw CryptographyError.failed }
        return signature
    }
}

extension SigningKey: CustomStringConvertible, CustomReflectable {
    package var description: String { "SigningKey(\(verifying.id))" }
    package var customMirror: Mirror { Mirror(self, children: [(label: String?, value: Any)]()) }
}

/// The public half: checks ES256 signatures.
package struct VerifyingKey: Sendable {
    private let raw: RawP256
    /// The coordinates in base64url, as a JWK names them.
    package let x: String
    package let y: String
    /// The RFC 7638 thumbprint: a name that follows from the key, so two keys cannot share one.
    package let id: String

    /// `04 ‖ x ‖ y`
    package let point: [UInt8]

    /// From `04 ‖ x ‖ y`; nil when the point is not on the curve.
    package init?(point: [UInt8]) {
        guard let raw = RawP256.publicKey(point: point) else { return nil }
        self.raw = raw
        self.point = point
        x = Base64URL.encode([UInt8](point[1..<33]))
        y = Base64URL.encode([UInt8](point[33..<65]))
        id = Base64URL.encode(SHA256.digest([UInt8](#"{"crv":"P-256","kty":"EC","x":"\#(x)","y":"\#(y)"}"#.utf8)))
    }

    /// From a JWK's coordinates; nil when the point is not on the curve.
    package init?(x: String, y: String) {
        guard let x = Base64URL.decode(x), let y = Base64URL.decode(y), x.count == 32, y.count == 32 else { return nil }
        self.init(point: [4] + x + y)
    }

    /// The same for a signature in DER, as passkeys write it (WebAuthn 6.5.5).
    package func verify(der signature: [UInt8], of message: [UInt8]) -> Bool {
        (8...72).contains(signature.count) && raw.verify(der: signature, of: message)
    }

    /// Whether `signature` (r ‖ s, 64 bytes) is of `message`. About 80 µs.
    package func verify(_ signature: [UInt8], of message: [UInt8]) -> Bool {
        // CVE-2022-21449: r = s = 0 satisfies the equation of a careless implementation.
        guard signature.count == 64, signature[..<32].contains(where: { $0 != 0 }),
            signature[32...].contains(where: { $0 != 0 })
        else { return false }
        return raw.verify(signature, of: message)
    }
}
