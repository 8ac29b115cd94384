import Bootstrap
import Loop
import Postgres
import Primitives
import TestSupport
import Testing

@testable import Auth

struct TOTPTests {
    /// RFC 6238 appendix B; its eight digits end in our six.
    @Test(arguments: [
        (59, "287082"), (1_111_111_109, "081804"), (1_111_111_111, "050471"), (1_234_567_890, "005924"),
        (2_000_000_000, "279037"), (20_000_000_000, "353130"),
    ] as [(Int64, String)])
    func `Codes are those of the RFC`(seconds: Int64, code: String) {
        let totp = TOTP(secret: Array("12345678901234567890".utf8))
        #expect(totp.code(at: TOTP.step(at: Timestamp(microseconds: seconds * 1_000_000))) == code)
    }

    @Test func `A code is good a step before and after and no longer`() {
        let totp = TOTP()
        let now = Timestamp(microseconds: 1_795_190_400_000_000)
        let step = TOTP.step(at: now)
        for away in Int64(-1)...1 {
            // Two codes of three may be equal by chance, but not the steps they are taken for.
            #expect(totp.step(of: totp.code(at: step + away), at: now).map { abs($0 - step) <= 1 } == true)
        }
        #expect(totp.step(of: totp.code(at: step - 20), at: now) == nil)
        #expect(totp.step(of: "", at: now) == nil && totp.step(of: "1234567", at: now) == nil)
    }

    @Test func `The address for the QR code names clinic and account and is escaped`() {
        let uri = TOTP(secret: Array("12345678901234567890".utf8)).uri(issuer: "St. Mary & Co", account: "a+b@c.example")
        #expect(
            uri == "otpauth://totp/St.%20Mary%20%26%20Co:a%2Bb@c.example?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
                + "&issuer=St.%20Mary%20%26%20Co&algorithm=SHA1&digits=6&period=30")
    }

    /// Promise S11.
    @Test func `Of fifty replays at once of each of a thousand codes, exactly one each is taken`() async throws {
        try await Clinic.with { clinic in
            let host = clinic.host.host
            let vault = try await Vaults(masterKeys: host.config.masterKeys)
                .vault(of: clinic.admin.tenant, host.db.reader(for: clinic.admin.tenant))
            let account = clinic.admin.id
            try await host.db.transaction(for: clinic.admin.tenant) { tx in
                let store = FactorStore(sql: tx, vault: vault)
                _ = try await store.enrol(TOTP(), for: account, at: host.now())
                _ = try await store.confirm(1, of: account, at: host.now())
            }
            var taken = 0
            for step in Int64(2)..<1002 {
                let replays = (0..<50).map { _ in
                    EventLoop.spawn {
                        try await host.db.transaction(for: clinic.admin.tenant) { tx in
                            try await FactorStore(sql: tx, vault: vault).spend(step, of: account)
                        }
                    }
                }
                for replay in replays where try await replay.value { taken += 1 }
            }
            #expect(taken == 1000)
        }
    }

    @Test func `An older code is not taken after a newer one`() async throws {
        try await Clinic.with { clinic in
            let app = try await clinic.enrol(clinic.admin)
            let step = TOTP.step(at: clinic.host.clock.now)
            #expect(try await clinic.login("admin@demo.example", otp: app.code(at: step + 1)).status == 200)
            #expect(try await clinic.login("admin@demo.example", otp: app.code(at: step)).code == "otp_wrong")
        }
    }
}
