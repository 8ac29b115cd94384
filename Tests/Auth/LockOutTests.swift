import Bootstrap
import Cryptography
import HTTP
import JSON
import Loop
import Postgres
import Primitives
import TestSupport
import Testing

@testable import Auth

struct LockOutTests {
    @Test func `A hundred wrong passwords from anywhere close the account to strangers and not to its owner's browser`() async throws {
        try await Clinic.with { clinic in
            let first = try await clinic.login("admin@demo.example")
            let cookie = try #require(first.header("Set-Cookie")?.split(separator: ";").first.map(String.init))
            #expect(first.header("Set-Cookie")?.contains("HttpOnly; SameSite=Strict") == true)
            try await clinic.guess("admin@demo.example", times: 100)

            let stranger = try await clinic.login("admin@demo.example")
            #expect(stranger.status == 429 && stranger.code == "too_many_attempts")
            let owner = await clinic.login("admin@demo.example", cookie: cookie)
            #expect(owner.status == 200)
            // That was a right password: the row of wrong ones is over.
            let again = try await clinic.login("admin@demo.example")
            #expect(again.status == 200)
        }
    }

    @Test func `A browser known for one account is a stranger to another`() async throws {
        try await Clinic.with { clinic in
            _ = try await clinic.add("nisha@demo.example", "nurse")
            let mine = try await clinic.login("nisha@demo.example")
            let cookie = try #require(mine.header("Set-Cookie")?.split(separator: ";").first.map(String.init))
            try await clinic.guess("admin@demo.example", times: 100)
            #expect(await clinic.login("admin@demo.example", cookie: cookie).status == 429)
            #expect(await clinic.login("admin@demo.example", cookie: "polyclinic_device=AAAA").status == 429)
        }
    }

    @Test func `Guesses from a known browser are counted, too`() async throws {
        try await Clinic.with { clinic in
            let first = try await clinic.login("admin@demo.example")
            let cookie = try #require(first.header("Set-Cookie")?.split(separator: ";").first.map(String.init))
            var last: TestHost.Answer?
            for _ in 0..<11 {
                last = await clinic.login("admin@demo.example", "wrong wrong wrong", cookie: cookie)
                clinic.host.clock.advance(seconds: 40)
            }
            #expect(last?.status == 429)
        }
    }
}

extension Clinic {
    /// As if `times` addresses had guessed once each: what they left behind.
    func guess(_ email: String, times: Int) async throws {
        let key = EmailIndex(keys: host.host.config.masterKeys).failureKeys(email, from: "everywhere").both
        try await host.host.db.systemTransaction { tx in
            try await LoginFailureStore(sql: tx).save(
                LoginThrottle.Tally(failures: times, firstAt: host.clock.now, lastAt: host.clock.now), under: key)
        }
    }

    func login(_ email: String, _ password: String = Self.password, cookie: String) async -> TestHost.Answer {
        let body = JSONObject([("email", .string(email)), ("password", .string(password))])
        return await host.send("POST", "/v1/auth/login", bytes: body.jsonBytes, bearer: nil, headers: [("cookie", cookie)])
    }
}
