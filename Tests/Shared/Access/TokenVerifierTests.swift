import Cryptography
import HTTP
import JSON
import Loop
import Primitives
import Testing

@testable import Access

struct TokenVerifierTests {
    private let key: SigningKey
    private let keys: KeySet
    private let now = AccessToken.now

    init() throws {
        key = try SigningKey.generate()
        keys = KeySet([key.verifying])
    }

    private func refusal(of token: String, at time: Timestamp? = nil) -> TokenRefusal? {
        do {
            _ = try TokenVerifier.verify(token, keys, at: time ?? now)
            return nil
        } catch { return error }
    }

    @Test func `A token of ours says what it was made to say`() throws {
        let made = AccessToken.sample(roles: [.doctor, .admin])
        let read = try TokenVerifier.verify(try TokenMint(key: key).sign(made), keys, at: now)
        #expect(read.account == made.account && read.tenant == made.tenant && read.session == made.session)
        #expect(read.roles == [.doctor, .admin] && read.zone == "Asia/Kolkata" && read.currency == .inr)
        #expect(read.location == made.location && read.patient == nil)
        #expect(read.issuedAt == made.issuedAt && read.expiresAt == made.expiresAt)
    }

    @Test func `The forger's own token would pass with the right key`() throws {
        #expect(refusal(of: try Forgery(keyID: key.verifying.id).token(by: key)) == nil)
    }

    @Test func `Another key, even under our key's name, is refused`() throws {
        let other = try SigningKey.generate()
        #expect(refusal(of: try Forgery(keyID: key.verifying.id).token(by: other)) == .invalid)
        #expect(refusal(of: try Forgery(keyID: other.verifying.id).token(by: other)) == .invalid)
        #expect(refusal(of: try TokenMint(key: other).sign(.sample())) == .invalid)
    }

    @Test(arguments: ["none", "None", "NONE", "HS256", "ES384", "RS256", "es256", "ES256 ", ""])
    func `Any other algorithm is refused whatever the signature`(algorithm: String) throws {
        var forgery = Forgery(keyID: key.verifying.id)
        forgery.header["alg"] = .string(algorithm)
        let publicKey = [UInt8]((key.verifying.x + key.verifying.y).utf8)
        let hmac = Base64URL.encode(SHA256.authenticate([UInt8](forgery.signed.utf8), key: publicKey))
        #expect(refusal(of: forgery.signed + ".") == .invalid)
        #expect(refusal(of: forgery.signed) == .invalid)
        #expect(refusal(of: forgery.signed + "." + hmac) == .invalid)
        #expect(refusal(of: try forgery.token(by: key)) == .invalid)
    }

    @Test(arguments: ["jwk", "jku", "x5u", "x5c", "x5t", "crit", "b64", "enc", "zip"])
    func `A header that brings its own rules is refused`(name: String) throws {
        var forgery = Forgery(keyID: key.verifying.id)
        forgery.header[name] = .string("https://evil.example/keys")
        #expect(refusal(of: try forgery.token(by: key)) == .invalid)
    }

    @Test(arguments: [
        ("iss", JSONValue.string("someone")), ("aud", .string("another")), ("aud", .array([.string("polyclinic")])),
        ("sub", .string("1")), ("sub", .null), ("tid", .int(3)), ("roles", .array([])), ("roles", .string("admin")),
        ("roles", .array([.string("root")])), ("sid", .null), ("loc", .string("")), ("cur", .string("rupees")),
        ("zone", .int(0)), ("pat", .string("x")), ("iat", .string("now")), ("exp", .null), ("exp", .double(1e300)),
        ("exp", .int(Int64.max)), ("exp", .int(Int64.min)), ("iat", .int(-1)), ("iat", .double(-1e300)),
        ("nbf", .string("soon")), ("nbf", .int(1_795_190_431)), ("iat", .int(1_795_190_431)),
        ("exp", .int(1_795_190_399)), ("exp", .int(1_795_195_400)),
    ])
    func `A claim that is wrong, missing or out of bounds is refused`(name: String, value: JSONValue) throws {
        var forgery = Forgery(keyID: key.verifying.id)
        forgery.claims[name] = value
        #expect(refusal(of: try forgery.token(by: key)) == .invalid)
        forgery.claims[name] = nil
        if name != "pat" && name != "nbf" { #expect(refusal(of: try forgery.token(by: key)) == .invalid) }
    }

    @Test(arguments: ["jwt", "JWT", "at+JWT", "id+jwt", ""])
    func `A token of another type is refused`(type: String) throws {
        var forgery = Forgery(keyID: key.verifying.id)
        forgery.header["typ"] = .string(type)
        #expect(refusal(of: try forgery.token(by: key)) == .invalid)
    }

    @Test func `Time counts with half a minute of grace on both sides`() throws {
        let token = try TokenMint(key: key).sign(.sample())
        #expect(refusal(of: token, at: now.adding(seconds: -30)) == nil)
        #expect(refusal(of: token, at: now.adding(seconds: -31)) == .invalid)
        #expect(refusal(of: token, at: now.adding(seconds: 629)) == nil)
        #expect(refusal(of: token, at: now.adding(seconds: 630)) == .expired)
    }

    @Test(arguments: ["", ".", "..", "...", "a.b.c", "e30.e30.e30", "\0.\0.\0", "é.é.é"])
    func `What is no token is refused`(text: String) {
        #expect(refusal(of: text) == .invalid)
    }

    @Test func `Of thousands of altered tokens none passes`() throws {
        let token = [UInt8](try TokenMint(key: key).sign(.sample()).utf8)
        var mutants: Set<[UInt8]> = []
        for position in token.indices {
            for bit in 0..<8 {
                var changed = token
                changed[position] ^= 1 << UInt8(bit)
                mutants.insert(changed)
            }
            mutants.insert([UInt8](token[..<position]))
            mutants.insert([UInt8](token[position...]).dropLast(0) + token[..<position])
            mutants.insert([UInt8](token[..<position] + token[position...].dropFirst()))
            mutants.insert([UInt8](token[..<position]) + [token[position]] + token[position...])
        }
        mutants.remove(token)
        #expect(mutants.count > 5_000)
        let accepted = mutants.filter { refusal(of: String(decoding: $0, as: UTF8.self)) == nil }
        #expect(accepted.isEmpty)
    }

    @Test func `A duplicate claim is refused even when signed`() throws {
        let header = Base64URL.encode(Forgery(keyID: key.verifying.id).header.jsonBytes)
        var claims = Forgery(keyID: key.verifying.id).claims.jsonBytes
        claims.removeLast()
        claims += [UInt8](#","sub":"0190a5f0-0000-7000-8000-000000000001"}"#.utf8)
        let signed = header + "." + Base64URL.encode(claims)
        #expect(refusal(of: signed + "." + Base64URL.encode(try key.sign([UInt8](signed.utf8)))) == .invalid)
    }
}
