import Bootstrap
import JSON
import Loop
import Primitives
import TestSupport
import Testing

@testable import Auth

struct SessionRoutesTests {
    @Test func `Signing in says who it is and opens what the roles permit`() async throws {
        try await Clinic.with { clinic in
            let answer = try await clinic.login("Admin@Demo.example")
            #expect(answer.status == 200 && answer.header("Cache-Control") == "no-store")
            #expect(answer.json["tokenType"] == .string("Bearer") && answer.json["expiresIn"] == .int(600))
            let me = await clinic.get("/v1/auth/me").json
            #expect(me["email"] == .string("admin@demo.example") && me["zone"] == .string("Asia/Kolkata"))
            #expect(me["id"] == .string(clinic.admin.id.description))
            let keys = await clinic.host.send("GET", "/.well-known/jwks.json", bytes: [], bearer: nil)
            #expect(keys.status == 200 && keys.json["keys"]?.kind == "array")
        }
    }

    @Test func `A wrong password and an unknown address get one answer`() async throws {
        try await Clinic.with { clinic in
            let wrong = try await clinic.login("admin@demo.example", "not the password")
            let unknown = try await clinic.login("nobody@demo.example", "not the password")
            let malformed = try await clinic.login("nobody", "not the password")
            for answer in [wrong, unknown, malformed] {
                #expect(answer.status == 401 && answer.code == "invalid_credentials")
                #expect(answer.json["detail"] == wrong.json["detail"])
                #expect(answer.header("WWW-Authenticate")?.hasPrefix("Bearer") == true)
            }
            let refused = try await clinic.host.audited().filter { $0["allowed"] == .bool(false) }
            #expect(refused.count == 1 && refused.first?["action"] == .string("sign_in"))
        }
    }

    @Test func `A refresh token is good for one successor and its return ends the session`() async throws {
        try await Clinic.with { clinic in
            let second = await clinic.refresh(clinic.admin.refresh)
            #expect(second.status == 200 && second.json["user"] == nil)
            let third = await clinic.refresh(try second.json.required("refreshToken"))
            #expect(third.status == 200)
            let stolen = await clinic.refresh(clinic.admin.refresh)
            #expect(stolen.status == 401 && stolen.code == "token_reused")
            let owner = await clinic.refresh(try third.json.required("refreshToken"))
            #expect(owner.status == 401 && owner.code == "token_invalid")
        }
    }

    @Test func `For ten seconds a lost answer can be asked for again`() async throws {
        try await Clinic.with { clinic in
            let first = await clinic.refresh(clinic.admin.refresh)
            let again = await clinic.refresh(clinic.admin.refresh)
            #expect(again.status == 200 && again.json["refreshToken"] == first.json["refreshToken"])
            clinic.host.clock.advance(seconds: 11)
            #expect(await clinic.refresh(clinic.admin.refresh).code == "token_reused")
        }
    }

    @Test func `Twenty refreshes at once agree on one successor`() async throws {
        try await Clinic.with { clinic in
            let answers = try await together(20) { await clinic.refresh(clinic.admin.refresh) }
            #expect(answers.allSatisfy { $0.status == 200 })
            #expect(Set(answers.map { $0.json["refreshToken"].map { "\($0)" } }).count == 1)
        }
    }

    @Test func `Staff who do nothing for half an hour sign in again, and who works does not`() async throws {
        try await Clinic.with { clinic in
            var token = clinic.admin.refresh
            // An access token counts for ten minutes of work without a refresh.
            for _ in 0..<3 {
                clinic.host.clock.advance(seconds: 2_399)
                token = try await clinic.refresh(token).json.required("refreshToken")
            }
            clinic.host.clock.advance(seconds: 2_400)
            for _ in 0..<2 {
                let idle = await clinic.refresh(token)
                #expect(idle.status == 401 && idle.code == "token_invalid")
            }
            let ended = try await clinic.host.announced().filter { $0.type == "auth.session.ended.v1" }
            #expect(ended.map { $0.data["reason"] } == [.string("idle")])
        }
    }

    @Test func `A clinic decides how long its staff may be idle, and a patient's phone is asked nothing`() async throws {
        try await Clinic.with { clinic in
            let settings = JSONObject([("staffIdleSeconds", .int(300))])
            #expect(await clinic.patch("/v1/tenants/settings", settings, version: 0).status == 200)
            #expect(await clinic.patch("/v1/tenants/settings", JSONObject([("staffIdleSeconds", .int(299))]), version: 1).status == 400)
            let patient = PatientID()
            clinic.host.cards["clinical", "/internal/cards/patients/\(patient)"] = JSONObject([
                ("patientId", .string(patient.description)), ("active", .bool(true)),
            ])
            _ = try await clinic.add("meera@demo.example", "patient", patient: patient)
            let meera = try await clinic.signIn("meera@demo.example")
            clinic.host.clock.advance(seconds: 900)
            #expect(await clinic.refresh(clinic.admin.refresh).code == "token_invalid")
            #expect(await clinic.refresh(meera.refresh).status == 200)
        }
    }

    @Test func `A session ends by its time however often it is refreshed`() async throws {
        try await Clinic.with(["AUTH_STAFF_IDLE_SECONDS": "86400"]) { clinic in
            clinic.host.clock.advance(seconds: 43_000)
            let late = await clinic.refresh(clinic.admin.refresh)
            #expect(late.status == 200 && late.json["expiresIn"] == .int(200))
            clinic.host.clock.advance(seconds: 201)
            let tooLate = await clinic.refresh(try late.json.required("refreshToken"))
            #expect(tooLate.code == "token_invalid")
        }
    }

    @Test func `Signing out ends the session and says nothing about strangers`() async throws {
        try await Clinic.with { clinic in
            for token in [clinic.admin.refresh, clinic.admin.refresh, String(repeating: "A", count: 86), "x"] {
                let body = JSONObject([("refreshToken", .string(token))])
                let answer = await clinic.host.send("POST", "/v1/auth/logout", bytes: body.jsonBytes, bearer: nil)
                #expect(answer.status == 204)
            }
            #expect(await clinic.refresh(clinic.admin.refresh).code == "token_invalid")
        }
    }

    @Test func `Guessing is slowed, then stopped, and waiting helps`() async throws {
        try await Clinic.with { clinic in
            _ = try await clinic.add("nurse@demo.example", "nurse")
            var last = 0
            for _ in 0..<12 {
                let answer = try await clinic.login("nurse@demo.example", "not the password")
                last = answer.status
                if last == 429 { #expect(answer.code == "too_many_attempts" && answer.header("Retry-After") != nil) }
            }
            #expect(last == 429)
            #expect(try await clinic.login("nurse@demo.example").status == 429)
            #expect(try await clinic.login("admin@demo.example").status == 200)  // Nobody else is locked out.
            clinic.host.clock.advance(seconds: 901)
            #expect(try await clinic.login("nurse@demo.example").status == 200)
        }
    }

    @Test func `A new password ends the other sessions and keeps this one`() async throws {
        try await Clinic.with { clinic in
            let elsewhere = try await clinic.signIn("admin@demo.example")
            let wrong = await clinic.post("/v1/auth/password", passwords("nonsense", "another long one"))
            #expect(wrong.status == 422 && wrong.code == "password_wrong")
            let changed = await clinic.post("/v1/auth/password", passwords(Clinic.password, "another long one"))
            #expect(changed.status == 204)
            #expect(await clinic.refresh(elsewhere.refresh).status == 401)
            #expect(await clinic.refresh(clinic.admin.refresh).status == 200)
            #expect(try await clinic.login("admin@demo.example").status == 401)
            #expect(try await clinic.login("admin@demo.example", "another long one").status == 200)
        }
    }

    @Test func `Guesses at the own password are counted with those of a step-up, and leave a trace`() async throws {
        try await Clinic.with(["AUTH_LOGIN_FAILURES": "3"]) { clinic in
            let wrong = await clinic.post("/v1/auth/password", passwords("nonsense", "another long one"))
            #expect(wrong.code == "password_wrong")
            let refused = try await clinic.host.audited().filter { $0["allowed"] == .bool(false) }
            #expect(refused.last?["action"] == .string("change_password"))
            #expect(await clinic.stepUp(("password", "nonsense")).code == "invalid_credentials")
            _ = await clinic.post("/v1/auth/password", passwords("nonsense", "another long one"))
            let late = await clinic.post("/v1/auth/password", passwords(Clinic.password, "another long one"))
            #expect(late.status == 429 && late.code == "too_many_attempts" && late.header("Retry-After") != nil)
            clinic.host.clock.advance(seconds: 901)
            let admin = try await clinic.signIn("admin@demo.example")
            let now = await clinic.post("/v1/auth/password", passwords(Clinic.password, "another long one"), as: admin)
            #expect(now.status == 204)
        }
    }

    @Test func `Thirty guesses at once at the own password are three`() async throws {
        try await Clinic.with(["AUTH_LOGIN_FAILURES": "3"]) { clinic in
            let answers = try await together(30) {
                await clinic.post("/v1/auth/password", passwords("nonsense", "another long one")).status
            }
            #expect(answers.filter { $0 == 422 }.count == 3 && answers.filter { $0 == 429 }.count == 27)
        }
    }

    private func passwords(_ current: String, _ next: String) -> JSONObject {
        JSONObject([("currentPassword", .string(current)), ("newPassword", .string(next))])
    }
}
