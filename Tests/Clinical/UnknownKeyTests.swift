import Access
import Bootstrap
import Cryptography
import Glibc
import JSON
import Loop
import Primitives
import TestSupport
import Testing

@testable import Clinical

/// S13 in a service that signs nothing: it knows the keys by the published file alone.
struct UnknownKeyTests {
    private func sign(_ key: SigningKey, _ host: TestHost) async throws -> String {
        try await TokenMint(key: key).sign(
            AccessToken(
                account: host.account(.doctor), tenant: host.tenant, roles: [.doctor], session: ID(), location: host.location,
                zone: "Asia/Kolkata", currency: .inr, patient: nil, issuedAt: host.clock.now,
                expiresAt: host.clock.now.adding(seconds: 600)))
    }

    private func publish(_ keys: KeySet, to path: String) throws {
        let file = try #require(fopen(path, "w"))
        defer { fclose(file) }
        let bytes = keys.jsonBytes
        #expect(fwrite(bytes, 1, bytes.count, file) == bytes.count)
    }

    @Test func `However many tokens name unknown keys, the published ones are read once in thirty seconds`() async throws {
        try await withClinical { host in
            let before = host.host.publishedKeys.readings
            for _ in 0..<300 {
                let token = try await sign(try SigningKey.generate(), host)
                #expect(await host.send("GET", "/v1/patients?search=meera", bytes: [], bearer: token).status == 401)
            }
            #expect(host.host.publishedKeys.readings - before <= 1)
            #expect(try await host.send("GET", "/v1/patients?search=meera", as: .doctor).status == 200)
        }
    }

    @Test func `A retired key's token is refused at once, though it was verified before and has not expired`() async throws {
        try await withClinical { host in
            let token = try host.token(.doctor)
            #expect(await host.send("GET", "/v1/patients?search=meera", bytes: [], bearer: token).status == 200)
            let next = try SigningKey.generate()
            try publish(KeySet([next.verifying]), to: host.host.config.publicKeysFile)
            #expect(host.host.publishedKeys.reload())
            #expect(await host.send("GET", "/v1/patients?search=meera", bytes: [], bearer: token).status == 401)
            let fresh = try await sign(next, host)
            #expect(await host.send("GET", "/v1/patients?search=meera", bytes: [], bearer: fresh).status == 200)
        }
    }
}
