import Bootstrap
import Cryptography
import JSON
import Loop
import Primitives
import TestSupport
import Testing

@testable import Auth

/// An authenticator in software: what a phone does, and what a thief's would.
struct SoftKey {
    let key: SigningKey
    let id: [UInt8]
    var userHandle: [UInt8] = []
    var count: UInt8 = 1
    var domain = "localhost"
    var origin = "http://localhost:8080"
    var flags: UInt8 = 0x05

    init() throws {
        key = try .generate()
        id = Random.bytes(32)
    }

    private func head(_ flags: UInt8) -> [UInt8] {
        SHA256.digest([UInt8](domain.utf8)) + [flags, 0, 0, 0, count]
    }

    func client(_ type: String, _ challenge: String) -> [UInt8] {
        Array(#"{"type":"\#(type)","challenge":"\#(challenge)","origin":"\#(origin)","crossOrigin":false}"#.utf8)
    }

    /// The body of a registration.
    func attestation(_ challenge: String) throws -> JSONObject {
        let point = try #require(Self.point(key))
        // {1: 2, 3: -7, -1: 1, -2: x, -3: y}
        let cose: [UInt8] = [0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32] + point[1..<33] + [0x22, 0x58, 32] + point[33..<65]
        let data = head(flags | 0x40) + [UInt8](repeating: 0, count: 16) + [0, 32] + id + cose
        // {"fmt": "none", "attStmt": {}, "authData": …}
        let object: [UInt8] =
            [0xa3, 0x63] + Array("fmt".utf8) + [0x64] + Array("none".utf8) + [0x67] + Array("attStmt".utf8) + [0xa0, 0x68]
            + Array("authData".utf8) + [0x59, UInt8(data.count >> 8), UInt8(data.count & 255)] + data
        return JSONObject([
            ("clientDataJSON", .string(Base64URL.encode(client("webauthn.create", challenge)))),
            ("attestationObject", .string(Base64URL.encode(object))),
        ])
    }

    /// The body of a sign-in.
    func assertion(_ challenge: String, type: String = "webauthn.get") throws -> JSONObject {
        let client = client(type, challenge)
        let data = head(flags)
        let raw = try key.sign(data + SHA256.digest(client))
        return JSONObject([
            ("credentialId", .string(Base64URL.encode(id))), ("clientDataJSON", .string(Base64URL.encode(client))),
            ("authenticatorData", .string(Base64URL.encode(data))),
            ("signature", .string(Base64URL.encode(Self.der(raw)))), ("userHandle", .string(Base64URL.encode(userHandle))),
        ])
    }

    private static func point(_ key: SigningKey) -> [UInt8]? {
        guard let x = Base64URL.decode(key.verifying.x), let y = Base64URL.decode(key.verifying.y) else { return nil }
        return [4] + x + y
    }

    private static func der(_ raw: [UInt8]) -> [UInt8] {
        func integer(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
            var bytes = Array(bytes.drop { $0 == 0 })
            if let first = bytes.first, first >= 0x80 { bytes.insert(0, at: 0) }
            return [2, UInt8(bytes.count)] + bytes
        }
        let body = integer(raw[0..<32]) + integer(raw[32..<64])
        return [0x30, UInt8(body.count)] + body
    }
}

struct PasskeyTests {
    @Test func `A device that was registered signs its owner in with two factors`() async throws {
        try await Clinic.with { clinic in
            var device = try await clinic.register()
            let answer = try await clinic.signIn(with: device)
            #expect(answer.status == 200)
            let user: JSONObject = try answer.json.required("user")
            #expect(user["id"] == .string(clinic.admin.id.description))
            device.count = 3
            let again = try await clinic.signIn(with: device)
            #expect(again.status == 200)
            #expect(await clinic.get("/v1/auth/passkeys").items.count == 1)
            let password = try await clinic.login("admin@demo.example")
            #expect(password.code == "otp_required")
        }
    }

    @Test func `A challenge is answered once, in time, and for what it was made`() async throws {
        try await Clinic.with { clinic in
            var device = try await clinic.register()
            let challenge = try await clinic.challenge()
            let body = try device.assertion(challenge)
            #expect(await clinic.open("/v1/auth/passkeys/sign-in", body).status == 200)
            #expect(await clinic.open("/v1/auth/passkeys/sign-in", body).code == "passkey_invalid")
            device.count = 9
            #expect(await clinic.open("/v1/auth/passkeys/sign-in", try device.assertion(challenge)).code == "passkey_invalid")
            let late = try await clinic.challenge()
            clinic.host.clock.advance(seconds: 301)
            #expect(await clinic.open("/v1/auth/passkeys/sign-in", try device.assertion(late)).code == "passkey_invalid")
            let other = Base64URL.encode(Random.bytes(56))
            #expect(await clinic.open("/v1/auth/passkeys/sign-in", try device.assertion(other)).code == "passkey_invalid")
        }
    }

    @Test func `What a thief, a phishing page or a copied key can show opens nothing`() async throws {
        try await Clinic.with { clinic in
            let device = try await clinic.register()
            let changes: [(inout SoftKey) -> Void] = [
                { $0.origin = "https://clinic.example.evil" }, { $0.origin = "http://localhost:8080.evil.example" },
                { $0.origin = "http://localhost:" }, { $0.domain = "evil.example" },
                { $0.flags = 0x01 },  // there, but not verified
                { $0.flags = 0x04 },  // verified, but not there
                { $0.count = 1 },  // the counter did not move: a copy
                { $0.userHandle = UserHandle(tenant: TenantID(), account: AccountID()).bytes },
                { if let other = try? SoftKey() { $0 = SoftKey.forged(like: $0, with: other) } },
            ]
            for (index, change) in changes.enumerated() {
                var thief = device
                thief.count = 5
                change(&thief)
                let answer = try await clinic.signIn(with: thief)
                #expect(answer.status == 401 && answer.code == "passkey_invalid", "change \(index)")
            }
            var owner = device
            owner.count = 6
            let answer = try await clinic.signIn(with: owner)
            #expect(answer.status == 200)
            let wrongType = await clinic.open(
                "/v1/auth/passkeys/sign-in", try owner.assertion(try await clinic.challenge(), type: "webauthn.create"))
            #expect(wrongType.code == "passkey_invalid")
        }
    }

    @Test func `Somebody else's challenge registers nothing`() async throws {
        try await Clinic.with { clinic in
            _ = try await clinic.add("nisha@demo.example", "nurse")
            let nurse = try await clinic.signIn("nisha@demo.example")
            let options = await clinic.post("/v1/auth/passkeys/registration", JSONObject())
            let challenge: String = try options.json.required("challenge")
            let body = try SoftKey().attestation(challenge)
            #expect(await clinic.post("/v1/auth/passkeys", body, as: nurse).code == "passkey_invalid")
            #expect(await clinic.post("/v1/auth/passkeys", body).status == 201)
        }
    }

    @Test func `A passkey steps up and a deactivated account's opens nothing`() async throws {
        try await Clinic.with { clinic in
            _ = try await clinic.add("second@demo.example", "admin")
            var device = try await clinic.register()
            device.count = 2
            var proof = try device.assertion(try await clinic.challenge())
            proof["userHandle"] = nil
            let stepped = await clinic.post("/v1/auth/step-up", JSONObject([("passkey", .object(proof))]))
            #expect(stepped.status == 200)
            let second = try await clinic.signIn("second@demo.example")
            #expect(await clinic.deactivate(clinic.admin.id, as: second).status == 200)
            device.count = 3
            let answer = try await clinic.signIn(with: device)
            #expect(answer.code == "passkey_invalid")
        }
    }

    @Test func `Bytes that are not CBOR are refused and never trusted`() throws {
        #expect(try CBOR.first(in: [0xa2, 1, 0x18, 0x2a, 0x61, 0x61, 0x82, 0x20, 0xf5]).value == .map([(.int(1), .int(42)), (.text("a"), .array([.int(-1), .bool(true)]))]))
        let wrong: [[UInt8]] = [
            [], [0xa1, 1], [0x18], [0x58, 0xff, 1], [0x9f, 1, 0xff], [0xa2, 1, 1, 1, 2], [0x61, 0xff], [0xfb, 0, 0, 0, 0, 0, 0, 0, 0],
            [0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], [0x9b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            [UInt8](repeating: 0x81, count: 1000),
        ]
        for bytes in wrong { #expect(throws: CBOR.Refusal.malformed) { try CBOR.first(in: bytes) } }
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 0..<60, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            _ = try? CBOR.first(in: bytes)
            _ = try? AuthenticatorData(bytes, of: RelyingParty(id: "localhost", origins: []))
            _ = try? PasskeyKey(cose: bytes)
        }
    }

    @Test func `Pages are those that were named, whatever their port only where that was said`() {
        let party = RelyingParty(id: "clinic.example", origins: ["https://clinic.example", "http://localhost:*"])
        #expect(party.allows("https://clinic.example") && party.allows("http://localhost:8080"))
        for origin in ["http://clinic.example", "https://clinic.example:444", "https://a.clinic.example", "http://localhost", "http://localhost:80a"] {
            #expect(!party.allows(origin))
        }
    }
}

extension SoftKey {
    /// Somebody else's key under the credential of this one.
    static func forged(like device: SoftKey, with other: SoftKey) -> SoftKey {
        SoftKey(key: other.key, id: device.id, userHandle: device.userHandle, count: 5)
    }

    private init(key: SigningKey, id: [UInt8], userHandle: [UInt8], count: UInt8) {
        self.key = key
        self.id = id
        self.userHandle = userHandle
        self.count = count
    }
}

extension Clinic {
    /// The administrator's new device.
    func register() async throws -> SoftKey {
        let options = await post("/v1/auth/passkeys/registration", JSONObject())
        let challenge: String = try options.json.required("challenge")
        let user: JSONObject = try options.json.required("user")
        var device = try SoftKey()
        device.userHandle = try #require(Base64URL.decode(try user.required("id", as: String.self)))
        let answer = await post("/v1/auth/passkeys", try device.attestation(challenge))
        guard answer.status == 201 else { throw Failed(what: "registering answered \(answer.status) \(answer.code ?? "")") }
        device.count = 2
        return device
    }

    func open(_ path: String, _ body: JSONObject) async -> TestHost.Answer {
        await host.send("POST", path, bytes: body.jsonBytes, bearer: nil)
    }

    func challenge() async throws -> String {
        try await open("/v1/auth/passkeys/challenge", JSONObject()).json.required("challenge")
    }

    func signIn(with device: SoftKey) async throws -> TestHost.Answer {
        await open("/v1/auth/passkeys/sign-in", try device.assertion(try await challenge()))
    }
}
