import Access
import Bootstrap
import Cryptography
import Glibc
import HTTP
import JSON
import Loop
import Primitives
import TestSupport
import Testing

@testable import Auth

struct KeyRotationTests {
    private let now = Timestamp(microseconds: 1_795_190_400_000_000)

    @Test func `A key signs only after its notice, and goes only after its last token`() throws {
        var rotation = KeyRotation()
        #expect(throws: KeyRotation.Refusal.nothingPublished) {
            try rotation.activate(insteadOf: "old", notice: 0, at: now)
        }
        try rotation.publish("new", at: now)
        #expect(throws: KeyRotation.Refusal.alreadyPublished) { try rotation.publish("newer", at: now) }
        #expect(throws: KeyRotation.Refusal.tooEarly(seconds: 1)) {
            try rotation.activate(insteadOf: "old", notice: 86_400, at: now.adding(seconds: 86_399))
        }
        let active = try rotation.activate(insteadOf: "old", notice: 86_400, at: now.adding(seconds: 86_400))
        #expect(active == "new")
        #expect(rotation.retire(at: now.adding(seconds: 86_400 + 959), keeping: "new") == [])
        #expect(KeyRotation(json: rotation.jsonBytes) == rotation)
        #expect(rotation.retire(at: now.adding(seconds: 86_400 + 960), keeping: "new") == ["old"])
        #expect(rotation.retired.isEmpty && rotation.next == nil)
    }

    @Test func `Keys are rotated while everything runs, and no valid token is refused`() async throws {
        try await Clinic.with { clinic in
            let host = clinic.host.host
            @LoopActor func rotate(_ step: String) async throws -> Int32 {
                let command = clinic.host.service.commands.first { $0.name == "rotate-keys" }
                return try await command?.run(["--step", step, "--notice", "0"]) ?? -1
            }
            #expect(try await rotate("activate") == 1)
            #expect(try await rotate("publish") == 0)
            #expect(host.publishedKeys.reload())
            #expect(host.verifier.keys.count == 2)
            #expect(await clinic.get("/v1/auth/me").status == 200)

            #expect(try await rotate("activate") == 0)
            #expect(await clinic.get("/v1/auth/me").status == 200, "the old key's tokens live out their time")
            #expect(try await rotate("retire") == 0)
            _ = host.publishedKeys.reload()
            #expect(host.verifier.keys.count == 2, "its last token has not expired")

            clinic.host.clock.advance(seconds: KeyRotation.afterlife)
            #expect(try await rotate("retire") == 0)
            #expect(host.publishedKeys.reload())
            #expect(host.verifier.keys.count == 1)
            #expect(await clinic.get("/v1/auth/me").status == 401)
            let steps = try await clinic.host.audited().filter { $0["resource"] == .string("signing_key") }
            #expect(steps.count == 3)
        }
    }

    @Test func `The key that signs is never retired, whatever is written about it`() throws {
        var rotation = KeyRotation()
        try rotation.publish("new", at: now)
        _ = try rotation.activate(insteadOf: "old", notice: 0, at: now)
        let later = now.adding(seconds: 100_000)
        #expect(rotation.isInterrupted(signer: "old") && !rotation.isInterrupted(signer: "new"))
        #expect(rotation.retire(at: later, keeping: "old") == [])
        rotation.retire("old", at: later)
        #expect(rotation.retired == [KeyRotation.Entry(id: "old", since: later)])
        #expect(rotation.retire(at: later.adding(seconds: KeyRotation.afterlife), keeping: "new") == ["old"])
    }

    @Test func `A crash in the middle of activating leaves the signer published, and the step is taken again`() async throws {
        try await Clinic.with { clinic in
            let host = clinic.host.host
            let folder = String(host.config.publicKeysFile.dropLast("/jwks.json".utf8.count))
            @LoopActor func rotate(_ step: String) async throws -> Int32 {
                let command = clinic.host.service.commands.first { $0.name == "rotate-keys" }
                return try await command?.run(["--step", step, "--notice", "0"]) ?? -1
            }
            let signer = try #require(KeyFile.read("\(folder)/jwt.pem"))
            #expect(try await rotate("publish") == 0)
            let next = try #require(KeyFile.read("\(folder)/jwt_private.next.pem"))
            #expect(try await rotate("activate") == 0)
            // What a crash leaves behind: the step is written down, the signing key is not replaced.
            try KeyFile.replace("\(folder)/jwt.pem", mode: 0o600, signer)
            try KeyFile.replace("\(folder)/jwt_private.next.pem", mode: 0o600, next)

            clinic.host.clock.advance(seconds: KeyRotation.afterlife + 1)
            let fresh = try await clinic.signIn("admin@demo.example")
            #expect(try await rotate("retire") == 0)
            _ = host.publishedKeys.reload()
            #expect(host.verifier.keys.count == 2)
            #expect(await clinic.get("/v1/auth/me", as: fresh).status == 200, "it is the signer's token")

            #expect(try await rotate("activate") == 0)
            #expect(KeyFile.read("\(folder)/jwt.pem") == next)
            #expect(try await rotate("retire") == 0)
            _ = host.publishedKeys.reload()
            #expect(host.verifier.keys.count == 2, "the old one signed until a moment ago")
            clinic.host.clock.advance(seconds: KeyRotation.afterlife)
            #expect(try await rotate("retire") == 0)
            _ = host.publishedKeys.reload()
            #expect(host.verifier.keys.count == 1)
        }
    }

    @Test func `However many tokens name unknown keys, the published ones are read once in thirty seconds`() async throws {
        try await Clinic.with { clinic in
            let before = clinic.host.host.publishedKeys.readings
            for _ in 0..<200 {
                let stranger = try SigningKey.generate()
                let token = try TokenMint(key: stranger).sign(
                    AccessToken(
                        account: clinic.admin.id, tenant: clinic.admin.tenant, roles: [.admin], session: ID(),
                        location: LocationID(), zone: "Asia/Kolkata", currency: .inr, patient: nil,
                        issuedAt: clinic.host.clock.now, expiresAt: clinic.host.clock.now.adding(seconds: 600)))
                let answer = await clinic.host.send("GET", "/v1/auth/me", bytes: [], bearer: token)
                #expect(answer.status == 401)
            }
            #expect(clinic.host.host.publishedKeys.readings - before <= 1)
        }
    }

    @Test func `Signing out ends the access token too`() async throws {
        try await Clinic.with { clinic in
            #expect(await clinic.get("/v1/auth/me").status == 200)
            let body = JSONObject([("refreshToken", .string(clinic.admin.refresh))])
            clinic.host.clock.advance(seconds: 1)
            let out = await clinic.host.send("POST", "/v1/auth/logout", bytes: body.jsonBytes, bearer: nil)
            #expect(out.status == 204)
            let after = await clinic.get("/v1/auth/me")
            #expect(after.status == 401 && after.code == "token_revoked")
            let facts = try await clinic.host.announced().filter { $0.type == "auth.session.ended.v1" }
            #expect(facts.count == 1 && facts.first?.data["reason"] == .string("signed_out"))
        }
    }
}
