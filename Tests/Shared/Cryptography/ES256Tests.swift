import Testing

@testable import Cryptography

struct ES256Tests {
    private let message = [UInt8]("header.payload".utf8)

    /// RFC 7515 appendix A.3: key, message and signature of another implementation.
    @Test func `The signature of RFC 7515 verifies`() throws {
        let key = try #require(
            VerifyingKey(
                x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", y: "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"))
        let signature = try #require(
            Base64URL.decode("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"))
        let signed = [UInt8](
            "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
                .utf8)
        #expect(key.verify(signature, of: signed))
        #expect(!key.verify(signature, of: signed + [0]))
    }

    @Test func `What a key signs, its public half verifies and no other`() throws {
        let key = try SigningKey.generate()
        let signature = try key.sign(message)
        #expect(signature.count == 64)
        #expect(key.verifying.verify(signature, of: message))
        #expect(try !SigningKey.generate().verifying.verify(signature, of: message))
        for bit in stride(from: 0, to: 512, by: 7) {
            var changed = signature
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(!key.verifying.verify(changed, of: message))
        }
    }

    @Test func `Zeros, wrong lengths and numbers outside the curve are refused`() throws {
        let key = try SigningKey.generate()
        let signature = try key.sign(message)
        let zeros = [UInt8](repeating: 0, count: 32)
        let ones = [UInt8](repeating: 0xff, count: 32)
        for bad in [
            [], zeros + zeros, zeros + signature[32...], signature[..<32] + zeros, ones + ones,
            [UInt8](signature.dropLast()), signature + [0], [0] + signature,
        ] {
            #expect(!key.verifying.verify(bad, of: message))
        }
    }

    @Test func `A key survives its PEM and keeps its thumbprint`() throws {
        let key = try SigningKey.generate()
        let pem = try key.pem()
        let again = try SigningKey(pem: pem)
        #expect(again.verifying.id == key.verifying.id)
        #expect(again.verifying.id.utf8.count == 43)
        #expect(key.verifying.verify(try again.sign(message), of: message))
        let published = try #require(VerifyingKey(x: key.verifying.x, y: key.verifying.y))
        #expect(published.id == key.verifying.id)
        #expect(!"\(key)".contains("PRIVATE"))
    }

    @Test func `Text that is no P-256 key is refused`() throws {
        #expect(throws: CryptographyError.invalid) { try SigningKey(pem: []) }
        #expect(throws: CryptographyError.invalid) { try SigningKey(pem: [UInt8]("-----BEGIN PRIVATE KEY-----".utf8)) }
        // A P-384 key, made with openssl ecparam for this test only.
        #expect(throws: CryptographyError.invalid) { try SigningKey(pem: [UInt8](p384.utf8)) }
        #expect(VerifyingKey(x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", y: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU") == nil)
        #expect(VerifyingKey(x: "", y: "") == nil)
    }
}

private let p384 = """
    -----BEGIN PRIVATE KEY-----
    MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDACvvcbG3RE0w070dR0
    wzaxk0oUIo5k2gq2PBvIUv1EfuNEiwrNOpGZQAJos7wl0nChZANiAARJo5InoLO1
    aOUwv7Ol+gZS12RCNmiD46IrTI0ztqjfPVY0igEeb7Snyh4IRp2vcE3Ep/l0ETCY
    gUL09vpaRuhL+qwsOOtCvNQXxaCjxgy9tzcGVjSqj+nkNWelsp/rC0M=
    -----END PRIVATE KEY-----
    """
