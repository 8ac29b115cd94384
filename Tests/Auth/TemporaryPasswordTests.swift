import JSON
import Loop
import Primitives
import TestSupport
import Testing

@testable import Auth

struct TemporaryPasswordTests {
    private let email = "nisha@demo.example"
    private let own = "quay lamp seven rivers"

    @Test func `Who lost their password is given one at the desk, and chooses their own with it`() async throws {
        try await Clinic.with { clinic in
            let nurse = try await clinic.add(email, "nurse")
            let before = try await clinic.signIn(email)
            clinic.host.clock.advance(seconds: 1)
            let answer = await clinic.give(nurse)
            #expect(answer.status == 201 && answer.header("Cache-Control") == "no-store")
            let given: String = try answer.json.required("temporaryPassword")

            #expect(await clinic.get("/v1/auth/me", as: before).code == "token_revoked")
            #expect(await clinic.refresh(before.refresh).status == 401)
            #expect(try await clinic.login(email).code == "invalid_credentials")
            #expect(try await clinic.login(email, given).code == "password_change_required")
            #expect(await clinic.first(email, given, new: own).status == 200)
            #expect(try await clinic.login(email, given).code == "invalid_credentials")
            #expect(try await clinic.login(email, own).status == 200)

            let entry = try #require(try await clinic.host.audited().first { $0["action"] == .string("give_password") })
            #expect(entry["resourceId"] == .string(nurse.description))
            let trail = try await clinic.host.audited().map { JSONValue.object($0).jsonBytes }
            #expect(!trail.contains { String(decoding: $0, as: UTF8.self).contains(given) })
        }
    }

    @Test func `It waits three days, opens browsers no more, and a second factor is asked for as before`() async throws {
        try await Clinic.with { clinic in
            let nurse = try await clinic.add(email, "nurse")
            let app = try await clinic.enrol(try await clinic.signIn(email))
            let given: String = try await clinic.give(nurse).json.required("temporaryPassword")
            #expect(await clinic.first(email, given, new: own).code == "otp_required")
            clinic.host.clock.advance(seconds: 259_200)
            #expect(await clinic.first(email, given, new: own).code == "invalid_credentials")
            let admin = Clinic(host: clinic.host, admin: try await clinic.signIn("admin@demo.example"))
            let again: String = try await admin.give(nurse).json.required("temporaryPassword")
            let code = app.code(at: TOTP.step(at: clinic.host.clock.now))
            #expect(await clinic.first(email, again, new: own, otp: code).status == 200)
        }
    }

    @Test func `Nobody gives one to themselves, to who is deactivated, or without a recent proof`() async throws {
        try await Clinic.with { clinic in
            #expect(await clinic.give(clinic.admin.id).code == "own_password")
            #expect(await clinic.give(AccountID()).status == 404)
            let nurse = try await clinic.add(email, "nurse")
            let who = try await clinic.signIn(email)
            #expect(await clinic.give(nurse, as: who).status == 403)
            _ = await clinic.deactivate(nurse)
            #expect(await clinic.give(nurse).code == "account_inactive")
            clinic.host.clock.advance(seconds: 601)
            let late = try await clinic.refresh(clinic.admin.refresh).json.required("accessToken", as: String.self)
            let answer = await clinic.host.send("POST", "/v1/users/\(nurse)/temporary-password", bytes: [], bearer: late)
            #expect(answer.code == "insufficient_user_authentication")
        }
    }
}

extension Clinic {
    func give(_ account: AccountID, as who: SignedIn? = nil) async -> TestHost.Answer {
        await host.send("POST", "/v1/users/\(account)/temporary-password", bytes: [], bearer: (who ?? admin).access)
    }

    func first(_ email: String, _ password: String, new: String, otp: String? = nil) async -> TestHost.Answer {
        var body = JSONObject([
            ("email", .string(email)), ("password", .string(password)), ("newPassword", .string(new)),
        ])
        body["otp"] = otp.map { .string($0) }
        return await open("/v1/auth/login", body)
    }
}
