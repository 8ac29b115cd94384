import Bootstrap
import Cryptography
import JSON
import Loop
import Postgres
import Primitives
import TestSupport
import Testing

@testable import Auth

struct FactorRoutesTests {
    @Test func `Once enrolled, the code is asked for, checked, and taken once`() async throws {
        try await Clinic.with { clinic in
            let app = try await clinic.enrol(clinic.admin)
            #expect(try await clinic.login("admin@demo.example").code == "otp_required")
            #expect(try await clinic.login("admin@demo.example", otp: "000000").code == "otp_wrong")

            clinic.host.clock.advance(seconds: 30)
            let code = app.code(at: TOTP.step(at: clinic.host.clock.now))
            #expect(try await clinic.login("admin@demo.example", "not the password", otp: code).code == "invalid_credentials")
            #expect(try await clinic.login("admin@demo.example", otp: code).status == 200)
            #expect(try await clinic.login("admin@demo.example", otp: code).code == "otp_wrong")
        }
    }

    @Test func `A recovery code opens once, however it is typed`() async throws {
        try await Clinic.with { clinic in
            let app = try await clinic.enrol(clinic.admin)
            #expect(app.recovery.count == 10 && Set(app.recovery).count == 10)
            let typed = app.recovery[0].lowercased().filter { $0 != "-" }
            #expect(try await clinic.login("admin@demo.example", otp: typed).status == 200)
            #expect(try await clinic.login("admin@demo.example", otp: app.recovery[0]).code == "otp_wrong")
            #expect(await clinic.get("/v1/auth/factors").json["recoveryCodes"] == .int(9))
        }
    }

    @Test func `Asking for the code is no failure, and a wrong one is`() async throws {
        try await Clinic.with(["AUTH_LOGIN_FAILURES": "3"]) { clinic in
            _ = try await clinic.enrol(clinic.admin)
            for _ in 0..<5 { #expect(try await clinic.login("admin@demo.example").code == "otp_required") }
            for _ in 0..<3 { #expect(try await clinic.login("admin@demo.example", otp: "000000").code == "otp_wrong") }
            #expect(try await clinic.login("admin@demo.example", otp: "000000").code == "too_many_attempts")
        }
    }

    @Test func `After a hundred wrong codes the app is not asked any more and paper still opens`() async throws {
        try await Clinic.with { clinic in
            let app = try await clinic.enrol(clinic.admin)
            try await clinic.host.database.asOwner(
                "set app.tenant = '\(clinic.admin.tenant)'; update totp set failures = 100")
            clinic.host.clock.advance(seconds: 60)
            let code = app.code(at: TOTP.step(at: clinic.host.clock.now))
            #expect(try await clinic.login("admin@demo.example", otp: code).code == "otp_wrong")
            #expect(try await clinic.login("admin@demo.example", otp: app.recovery[3]).status == 200)
        }
    }

    @Test func `Where the clinic asks for a factor, staff without one can enrol and nothing else`() async throws {
        try await Clinic.with(["AUTH_STAFF_MFA": "required"]) { clinic in
            let nurse = clinic.admin
            #expect(await clinic.get("/v1/users", as: nurse).code == "factor_required")
            #expect(await clinic.get("/v1/auth/me", as: nurse).code == "factor_required")
            #expect(await clinic.get("/v1/auth/factors", as: nurse).json["required"] == .bool(true))
            let refreshed = await clinic.refresh(nurse.refresh)
            #expect(refreshed.json["mustEnrol"] == .bool(true))

            _ = try await clinic.enrol(nurse)
            let next: String = try refreshed.json.required("refreshToken")
            let full: String = try await clinic.refresh(next).json.required("accessToken")
            #expect(await clinic.host.send("GET", "/v1/users", bytes: [], bearer: full).status == 200)
        }
    }

    @Test func `The clinic decides, and a patient is not asked`() async throws {
        try await Clinic.with { clinic in
            let patient = PatientID()
            clinic.host.cards["clinical", "/internal/cards/patients/\(patient)"] = JSONObject([
                ("patientId", .string(patient.description)), ("active", .bool(true)),
            ])
            _ = try await clinic.add("m@demo.example", "patient", patient: patient)
            let asked = await clinic.put("/v1/auth/policy", JSONObject([("staffMFA", .string("required"))]))
            #expect(asked.json["staffMFA"] == .string("required"))
            let staff = try await clinic.login("admin@demo.example")
            let person = try await clinic.login("m@demo.example")
            #expect(staff.json["mustEnrol"] == .bool(true) && person.status == 200 && person.json["mustEnrol"] == nil)
        }
    }

    @Test func `A clinic that asks for a factor by now asks who is signed in at their next refresh`() async throws {
        try await Clinic.with { clinic in
            _ = try await clinic.add("nisha@demo.example", "nurse")
            _ = try await clinic.add("omar@demo.example", "nurse")
            let nisha = try await clinic.signIn("nisha@demo.example")
            let elsewhere = try await clinic.signIn("omar@demo.example")
            _ = try await clinic.enrol(try await clinic.signIn("omar@demo.example"))
            _ = await clinic.put("/v1/auth/policy", JSONObject([("staffMFA", .string("required"))]))

            let refreshed = await clinic.refresh(nisha.refresh)
            #expect(refreshed.json["mustEnrol"] == .bool(true))
            let bearer: String = try refreshed.json.required("accessToken")
            #expect(await clinic.host.send("GET", "/v1/auth/me", bytes: [], bearer: bearer).code == "factor_required")
            // Who has a factor and did not show it signs in with it.
            #expect(await clinic.refresh(elsewhere.refresh).status == 401)
            #expect(await clinic.get("/v1/auth/me", as: elsewhere).code == "token_revoked")
        }
    }

    @Test func `A sensitive act asks for a proof of the last ten minutes`() async throws {
        try await Clinic.with(["AUTH_ACCESS_TOKEN_SECONDS": "900"]) { clinic in
            let id = try await clinic.add("nisha@demo.example", "nurse")
            clinic.host.clock.advance(seconds: 601)
            let refused = await clinic.deactivate(id)
            #expect(refused.status == 401 && refused.code == "insufficient_user_authentication")
            #expect(refused.header("WWW-Authenticate")?.contains(#"max_age="600""#) == true)
            #expect(await clinic.get("/v1/users").status == 200)

            #expect(await clinic.stepUp(("password", "wrong")).code == "invalid_credentials")
            let again = await clinic.stepUp(("password", Clinic.password))
            let fresh: String = try again.json.required("accessToken")
            let done = await clinic.host.send(
                "PATCH", "/v1/users/\(id)", bytes: JSONObject([("active", .bool(false))]).jsonBytes, bearer: fresh,
                headers: [("If-Match", "\"1\"")])
            #expect(done.status == 200)
        }
    }

    @Test func `Applications and the clinic's settings are changed after a proof of the last ten minutes`() async throws {
        try await Clinic.with(["AUTH_ACCESS_TOKEN_SECONDS": "900"]) { clinic in
            clinic.host.clock.advance(seconds: 601)
            let client = JSONObject([("name", .string("App")), ("grantTypes", .array([.string("client_credentials")]))])
            let answers = [
                await clinic.post("/v1/auth/clients", client),
                await clinic.patch("/v1/auth/clients/\(AccountID())", client, version: 1),
                await clinic.delete("/v1/auth/clients/\(AccountID())"),
                await clinic.patch("/v1/tenants/settings", JSONObject([("consentRequired", .bool(true))]), version: 1),
            ]
            #expect(answers.map(\.code) == Array(repeating: "insufficient_user_authentication", count: 4))
            #expect(await clinic.get("/v1/auth/clients").status == 200)
        }
    }

    @Test func `Refreshing proves nothing, and who has a factor steps up by it`() async throws {
        try await Clinic.with { clinic in
            let app = try await clinic.enrol(clinic.admin)
            clinic.host.clock.advance(seconds: 590)
            let next: String = try await clinic.refresh(clinic.admin.refresh).json.required("accessToken")
            clinic.host.clock.advance(seconds: 30)
            @LoopActor func open(_ bearer: String) async -> TestHost.Answer {
                await clinic.host.send("PUT", "/v1/auth/policy", bytes: Array(#"{"staffMFA":"optional"}"#.utf8), bearer: bearer)
            }
            #expect(await open(next).code == "insufficient_user_authentication")
            let who = Clinic.SignedIn(id: clinic.admin.id, tenant: clinic.admin.tenant, access: next, refresh: "")
            #expect(await clinic.stepUp(("password", Clinic.password), as: who).code == "otp_required")
            let code = app.code(at: TOTP.step(at: clinic.host.clock.now))
            let answer = await clinic.stepUp(("otp", code), as: who)
            #expect(answer.status == 200)
            #expect(await clinic.stepUp(("otp", code), as: who).code == "otp_wrong")
            let fresh: String = try answer.json.required("accessToken")
            #expect(await open(fresh).status == 200)
        }
    }

    @Test func `The last factor stays where the clinic asks for one or the password is short`() async throws {
        try await Clinic.with { clinic in
            _ = try await clinic.enrol(clinic.admin)
            #expect(await clinic.password(from: Clinic.password, to: "quay-lamp-7").status == 204)
            #expect(await clinic.delete("/v1/auth/factors/totp").code == "password_too_short")
            #expect(await clinic.password(from: "quay-lamp-7", to: Clinic.password).status == 204)
            _ = await clinic.put("/v1/auth/policy", JSONObject([("staffMFA", .string("required"))]))
            #expect(await clinic.delete("/v1/auth/factors/totp").code == "factor_required")
            _ = await clinic.put("/v1/auth/policy", JSONObject([("staffMFA", .string("optional"))]))
            #expect(await clinic.delete("/v1/auth/factors/totp").status == 204)
            #expect(try await clinic.login("admin@demo.example").status == 200)
        }
    }

    @Test func `An administrator can take all factors from somebody who lost them`() async throws {
        try await Clinic.with { clinic in
            let id = try await clinic.add("nisha@demo.example", "nurse")
            let nurse = try await clinic.signIn("nisha@demo.example")
            _ = try await clinic.enrol(nurse)
            #expect(try await clinic.login("nisha@demo.example").code == "otp_required")
            #expect(await clinic.delete("/v1/users/\(id)/factors").status == 204)
            #expect(try await clinic.login("nisha@demo.example").status == 200)
            #expect(await clinic.refresh(nurse.refresh).status == 401)
        }
    }

    @Test func `Secrets rest sealed and codes hashed`() async throws {
        try await Clinic.with { clinic in
            let app = try await clinic.enrol(clinic.admin)
            let reader = clinic.host.host.db.reader(for: clinic.admin.tenant)
            let secret = try await reader.first("select secret from totp", as: { row in try row.next(as: Bytes.self).array })
            #expect(secret.map { Base32.encode($0).contains(app.secret) } == false)
            let hashes = try await reader.all("select hash from recovery_code", as: { row in try row.next(as: Bytes.self).array })
            #expect(hashes.count == 10 && !hashes.contains { $0 == Array(app.recovery[0].utf8) })
        }
    }
}

extension Clinic {
    struct App {
        let totp: TOTP
        let secret: String
        let recovery: [String]
        func code(at step: Int64) -> String { totp.code(at: step) }
    }

    /// Enrols an authenticator app, as the phone and its owner do.
    func enrol(_ who: SignedIn) async throws -> App {
        let begun = await post("/v1/auth/factors/totp", JSONObject(), as: who)
        let secret: String = try begun.json.required("secret")
        let totp = TOTP(secret: Self.base32(secret))
        // The step before this one, so that a test can use this one to sign in.
        let code = totp.code(at: TOTP.step(at: host.clock.now) - 1)
        let confirmed = await post("/v1/auth/factors/totp/confirmation", JSONObject([("code", .string(code))]), as: who)
        guard confirmed.status == 201 else { throw Failed(what: "confirming answered \(confirmed.status)") }
        return App(totp: totp, secret: secret, recovery: try confirmed.json.required("recoveryCodes"))
    }

    static func base32(_ text: String) -> [UInt8] {
        var bits: UInt64 = 0
        var count = 0
        var bytes: [UInt8] = []
        for letter in text.utf8 {
            let value = letter >= 0x41 ? letter - 0x41 : letter - 0x32 + 26
            bits = bits << 5 | UInt64(value)
            count += 5
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt64(count)))
            }
        }
        return bytes
    }

    func put(_ path: String, _ body: JSONObject, as who: SignedIn? = nil) async -> TestHost.Answer {
        await host.send("PUT", path, bytes: body.jsonBytes, bearer: (who ?? admin).access)
    }

    func delete(_ path: String, as who: SignedIn? = nil) async -> TestHost.Answer {
        await host.send("DELETE", path, bytes: [], bearer: (who ?? admin).access)
    }

    func stepUp(_ proof: (name: String, value: String), as who: SignedIn? = nil) async -> TestHost.Answer {
        await post("/v1/auth/step-up", JSONObject([(proof.name, .string(proof.value))]), as: who)
    }

    func password(from old: String, to new: String) async -> TestHost.Answer {
        await post("/v1/auth/password", JSONObject([("currentPassword", .string(old)), ("newPassword", .string(new))]))
    }
}
