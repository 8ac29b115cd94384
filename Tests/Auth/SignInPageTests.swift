import Access
import Bootstrap
import Cryptography
import JSON
import Loop
import Primitives
import TestSupport
import Testing

@testable import Auth

/// What the pages offer to those who have no e-mail address, no password at hand, or no app.
struct SignInPageTests {
    @Test func `A passkey signs in on the page, as two factors`() async throws {
        try await Clinic.with { clinic in
            var device = try await clinic.register()
            let portal = try await Portal(clinic, asksConsent: false)
            let page = try await portal.page()
            #expect(page.text.contains("Use a passkey"))
            let done = try await portal.show(device, on: page)
            let given = await portal.redeem(try Portal.code(in: done.header("Location") ?? ""))
            let claims = Portal.claims(try given.json.required("id_token"))
            #expect(claims["amr"] == .array([.string("hwk")]) && claims["acr"] == .string(Assurance.multi.rawValue))
            #expect(done.headers.contains { $0.name == "Set-Cookie" && $0.value.hasPrefix("__Host-polyclinic-session=") })
            // Its challenge was for once.
            device.count = 9
            let again = try await portal.page()
            #expect(try await portal.show(device, on: again, challenge: page.text).status == 422)
        }
    }

    @Test func `Whose second factor is a passkey is not asked for an app they have not`() async throws {
        try await Clinic.with { clinic in
            let device = try await clinic.register()
            let portal = try await Portal(clinic, asksConsent: false)
            let page = try await portal.page()
            let entered = await portal.enter(page, ["email": "admin@demo.example", "password": Clinic.password])
            let place = entered.header("Location") ?? ""
            #expect(place.hasPrefix("/oauth2/second-factor?"))
            let asked = try await portal.show(place, page.cookies)
            #expect(asked.text.contains("Use a passkey"))
            let done = try await portal.show(device, on: asked)
            let given = await portal.redeem(try Portal.code(in: done.header("Location") ?? ""))
            #expect(Portal.claims(try given.json.required("id_token"))["amr"] == .array([.string("hwk"), .string("pwd")]))
        }
    }

    @Test func `A passkey that is copied, a stranger's or of another clinic opens no page`() async throws {
        try await Clinic.with { clinic in
            let device = try await clinic.register()
            let portal = try await Portal(clinic, asksConsent: false)
            let changes: [(inout SoftKey) -> Void] = [
                { $0.flags = 0x01 }, { $0.count = 1 }, { $0.origin = "https://clinic.example.evil" },
                { $0.userHandle = UserHandle(tenant: TenantID(), account: clinic.admin.id).bytes }, { $0.userHandle = [] },
                { $0.userHandle = UserHandle(tenant: clinic.admin.tenant, account: AccountID()).bytes },
            ]
            for change in changes {
                var thief = device
                change(&thief)
                let answer = try await portal.show(thief, on: try await portal.page())
                #expect(answer.status == 422)
                #expect(String(decoding: answer.bytes, as: UTF8.self).contains("could not be checked"))
            }
            var page = try await portal.page()
            page.cookies = "__Host-polyclinic-browser=" + Browser.fresh()
            #expect(try await portal.show(device, on: page).status == 403)
        }
    }

    @Test func `Staff without the second factor that their clinic asks for are told where to add one`() async throws {
        try await Clinic.with(["AUTH_STAFF_MFA": "required"]) { clinic in
            let app = try await clinic.enrol(clinic.admin)
            clinic.host.clock.advance(seconds: 60)
            let code = app.code(at: TOTP.step(at: clinic.host.clock.now))
            let admin = try Clinic.read(try await clinic.login("admin@demo.example", otp: code))
            let known = Clinic(host: clinic.host, admin: admin)
            _ = try await known.add("nisha@demo.example", "nurse")
            let portal = try await Portal(known, name: "The <wiki>", asksConsent: false)
            let page = try await portal.page()
            let told = await portal.enter(page, ["email": "nisha@demo.example", "password": Clinic.password])
            let text = String(decoding: told.bytes, as: UTF8.self)
            #expect(told.status == 403 && told.header("Location") == nil)
            #expect(text.contains("add an authenticator app or a passkey") && text.contains("go back to The &lt;wiki&gt;"))
        }
    }

    @Test func `Who was given a password for the first time chooses their own on the page`() async throws {
        try await Clinic.with { clinic in
            let created = await clinic.post(
                "/v1/users",
                JSONObject([
                    ("name", .string("N")), ("email", .string("n@demo.example")), ("roles", .array([.string("nurse")])),
                ]))
            let given: String = try created.json.required("temporaryPassword")
            let portal = try await Portal(clinic, asksConsent: false)
            let page = try await portal.page()
            let own = "quay lamp seven rivers"
            for (fields, words) in [
                (["password": given], "The one that you were given is right"),
                (["password": given, "newPassword": given], "Choose another than you were given."),
                (["password": given, "newPassword": "short"], "Choose your own password"),
                (["password": "not the password", "newPassword": own], "The address or the password is not right."),
            ] {
                let told = await portal.enter(page, fields.merging(["email": "n@demo.example"]) { $1 })
                #expect(told.status == 422 && told.header("Location") == nil)
                #expect(String(decoding: told.bytes, as: UTF8.self).contains(words), "\(words)")
            }
            let done = await portal.enter(page, ["email": "n@demo.example", "password": given, "newPassword": own])
            #expect(await portal.redeem(try Portal.code(in: done.header("Location") ?? "")).status == 200)
            #expect(try await clinic.login("n@demo.example", own).status == 200)
        }
    }

    @Test func `Only our own script runs on the pages, and only where it is needed`() async throws {
        try await Clinic.with { clinic in
            let portal = try await Portal(clinic)
            let page = try await portal.page()
            #expect(page.policy.contains("script-src 'nonce-") && !page.policy.contains("unsafe"))
            let nonce = page.policy.split(separator: "'").first { $0.hasPrefix("nonce-") }?.dropFirst(6) ?? "?"
            #expect(page.text.contains("<script nonce=\"\(nonce)\">"))
            let entered = await portal.enter(page, ["email": "admin@demo.example", "password": Clinic.password])
            let consent = try await portal.show(entered.header("Location") ?? "", page.cookies)
            #expect(!consent.text.contains("<script") && !consent.policy.contains("script-src"))
        }
    }

    @Test func `Who signed up by phone types the number, and clients learn it as one`() async throws {
        try await Clinic.with(["AUTH_MESSAGE_URL": "http://127.0.0.1:1/"]) { clinic in
            let asked = await clinic.open(
                "/v1/auth/sign-up",
                JSONObject([
                    ("tenantId", .string(clinic.admin.tenant.description)), ("contact", .string("+919820012345")),
                    ("name", .string("Arjun")), ("password", .string(Clinic.password)),
                ]))
            let id: ID<ContactRequest> = try asked.json.required("id")
            let key = clinic.host.host.config.masterKey.derived(for: "contact requests")
            let made = await clinic.open(
                "/v1/auth/sign-up/confirmation",
                JSONObject([("id", .string(id.description)), ("code", .string(ContactRequest.code(id, key: key)))]))
            #expect(made.status == 201 && made.header("Set-Cookie")?.hasPrefix("polyclinic_device=") == true)

            let portal = try await Portal(clinic, scopes: ["openid", "email"], asksConsent: false)
            let visited = await portal.visit(["scope": "openid email"])
            let page = try await portal.show(visited.header("Location") ?? "", Portal.merged("", visited))
            #expect(page.text.contains(#"name="email" type="text""#) && page.text.contains("phone number"))
            let entered = await portal.enter(page, ["email": "+91 98200 12345", "password": Clinic.password])
            let given = await portal.redeem(try Portal.code(in: entered.header("Location") ?? ""))
            let info = await portal.userInfo(try given.json.required("access_token"))
            #expect(info.json["phone_number"] == .string("+919820012345") && !info.json.has("email"))
        }
    }
}

extension Portal {
    /// Sends what a device answers to the challenge of a page; to another page's when that is given.
    func show(_ device: SoftKey, on page: Shown, challenge other: String? = nil) async throws -> TestHost.Answer {
        let text = other ?? page.text
        let start = try #require(text.firstRange(of: "data-challenge=\""))
        let challenge = String(text[start.upperBound...].prefix { $0 != "\"" })
        var fields = ["attempt": page.attempt, "token": page.token]
        for member in try device.assertion(challenge).members {
            if case .string(let value) = member.value { fields[member.name] = value }
        }
        return await clinic.host.form("/oauth2/passkey", fields, headers: [("Cookie", page.cookies)])
    }
}
