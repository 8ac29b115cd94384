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

    /// A clinic that asks staff for a factor, a nurse who has none, and an application that she is on the way to.
    private nonisolated static func enrolling(_ body: @escaping @LoopActor @Sendable (Clinic, Portal, AccountID) async throws -> Void) async throws {
        try await Clinic.with(["AUTH_STAFF_MFA": "required"]) { clinic in
            let app = try await clinic.enrol(clinic.admin)
            clinic.host.clock.advance(seconds: 60)
            let code = app.code(at: TOTP.step(at: clinic.host.clock.now))
            let admin = try Clinic.read(try await clinic.login("admin@demo.example", otp: code))
            let known = Clinic(host: clinic.host, admin: admin)
            let nurse = try await known.add("nisha@demo.example", "nurse")
            try await body(known, try await Portal(known, name: "The <wiki>", asksConsent: false), nurse)
        }
    }

    private let right = ["email": "nisha@demo.example", "password": Clinic.password]

    @Test func `Staff without the second factor that their clinic asks for add one on the way`() async throws {
        try await Self.enrolling { clinic, portal, nurse in
            var page = try await portal.page()
            let entered = await portal.enter(page, right)
            let place = entered.header("Location") ?? ""
            #expect(place.hasPrefix("/oauth2/enrolment"))
            page = try await portal.show(place, page.cookies)
            #expect(page.text.contains("to continue to The &lt;wiki&gt;") && page.policy.contains("form-action 'self' https://portal.example"))
            #expect(!page.text.contains("<script"))
            let app = TOTP(secret: try Portal.secret(in: page.text))
            // Looking again shows the same key, and changes nothing.
            #expect(try Portal.secret(in: try await portal.show(place, page.cookies).text) == app.secret)

            let wrong = await portal.enrol(page, code: "000000")
            #expect(wrong.status == 422 && String(decoding: wrong.bytes, as: UTF8.self).contains("The code is not right"))
            #expect(try Portal.secret(in: String(decoding: wrong.bytes, as: UTF8.self)) == app.secret)
            // Nobody goes on without the code.
            #expect(await portal.enrol(page, code: nil).status == 422)

            let step = TOTP.step(at: clinic.host.clock.now)
            let added = await portal.enrol(page, code: app.code(at: step))
            let codes = String(decoding: added.bytes, as: UTF8.self)
            #expect(added.status == 200 && codes.contains("Keep these codes") && codes.split(separator: "<li>").count == 11)
            #expect(added.header("Cache-Control") == "no-store")
            let done = await portal.enrol(page, code: nil)
            let tokens = await portal.redeem(try Portal.code(in: done.header("Location") ?? ""))
            let claims = Portal.claims(try tokens.json.required("id_token"))
            #expect(claims["acr"] == .string("aal2"))

            // From now on it is asked for, and its code is good once.
            #expect(try await clinic.login("nisha@demo.example").code == "otp_required")
            #expect(try await clinic.login("nisha@demo.example", otp: app.code(at: step)).code == "otp_wrong")
            clinic.host.clock.advance(seconds: 60)
            #expect(try await clinic.login("nisha@demo.example", otp: app.code(at: step + 2)).status == 200)
            #expect(try await clinic.host.audited().contains { $0["action"] == .string("enrol") && $0["resourceId"] == .string(nurse.description) })
        }
    }

    @Test func `Each way has its own key: what somebody else began is not confirmed by the owner`() async throws {
        try await Self.enrolling { clinic, portal, _ in
            let mine = try await portal.page(), theirs = try await portal.page()
            let first = await portal.enter(mine, right), second = await portal.enter(theirs, right)
            let own = try await portal.show(first.header("Location") ?? "", mine.cookies)
            let other = try await portal.show(second.header("Location") ?? "", theirs.cookies)
            let app = TOTP(secret: try Portal.secret(in: own.text)), thief = TOTP(secret: try Portal.secret(in: other.text))
            #expect(app.secret != thief.secret)
            let step = TOTP.step(at: clinic.host.clock.now)
            #expect(await portal.enrol(own, code: thief.code(at: step)).status == 422)
            #expect(await portal.enrol(own, code: app.code(at: step)).status == 200)
            // Whoever is second is asked for the factor that is there.
            let late = await portal.enrol(other, code: thief.code(at: step))
            #expect(late.header("Location")?.hasPrefix("/oauth2/second-factor") == true)
            #expect(await portal.enrol(own, code: nil, cookies: theirs.cookies).status == 403)
        }
    }

    @Test func `A browser that was signed in adds no factor: the password is asked for first`() async throws {
        try await Clinic.with { clinic in
            _ = try await clinic.add("nisha@demo.example", "nurse")
            let portal = try await Portal(clinic, asksConsent: false)
            let (_, cookies) = try await portal.signIn("nisha@demo.example")
            _ = await clinic.put("/v1/auth/policy", JSONObject([("staffMFA", .string("required"))]))
            let visited = await portal.visit(cookies: cookies)
            let place = visited.header("Location") ?? ""
            #expect(place.hasPrefix("/oauth2/sign-in"))
            let direct = await clinic.host.send(
                "GET", place.replacing("sign-in", with: "enrolment"), bytes: [], bearer: nil,
                headers: [("Cookie", Portal.merged(cookies, visited))])
            #expect(direct.status == 400)
            let page = try await portal.show(place, Portal.merged(cookies, visited))
            #expect(await portal.enter(page, right).header("Location")?.hasPrefix("/oauth2/enrolment") == true)
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
