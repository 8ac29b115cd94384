import Access
import Bootstrap
import Cryptography
import HTTP
import JSON
import Loop
import Primitives
import TestSupport
import Testing

@testable import Auth

/// What a browser keeps, and what takes it away again.
struct BrowserSessionTests {
    @Test func `A forgotten password chosen anew puts out browsers and those on the way to a code`() async throws {
        try await Clinic.with(["AUTH_MESSAGE_URL": "http://127.0.0.1:1/"]) { clinic in
            let portal = try await Portal(clinic)
            let before = try await portal.signIn()
            // A second browser, which has shown the old password and is asked for consent.
            let anew = try await Portal(clinic, name: "Another")
            let page = try await anew.page()
            let entered = await anew.enter(page, ["email": "admin@demo.example", "password": Clinic.password])
            let parked = try await anew.show(entered.header("Location") ?? "", page.cookies)

            let unused = try Portal.code(in: before.place)
            try await clinic.reset("admin@demo.example", to: "a quite different pass phrase")
            #expect(await portal.redeem(unused).json["error"] == .string("invalid_grant"))
            let again = await portal.visit(cookies: before.cookies)
            #expect(again.header("Location")?.hasPrefix("/oauth2/sign-in") == true)
            let silent = await portal.visit(["prompt": "none"], cookies: before.cookies)
            #expect(silent.header("Location")?.contains("error=login_required") == true)
            #expect(await anew.agree(parked).status == 400)
        }
    }

    @Test func `Changing the password puts out who was asked for consent with the old one`() async throws {
        try await Clinic.with { clinic in
            let portal = try await Portal(clinic)
            let page = try await portal.page()
            let entered = await portal.enter(page, ["email": "admin@demo.example", "password": Clinic.password])
            let parked = try await portal.show(entered.header("Location") ?? "", page.cookies)
            #expect(await clinic.password(from: Clinic.password, to: "a quite different pass phrase").status == 204)
            #expect(await portal.agree(parked).status == 400)
        }
    }

    @Test func `A browser that nobody of the staff used for half an hour asks who it is`() async throws {
        try await Clinic.with { clinic in
            let portal = try await Portal(clinic)
            let mine = try await portal.signIn()
            let given = await portal.redeem(try Portal.code(in: mine.place))
            clinic.host.clock.advance(seconds: 1_799)
            // Work at the client keeps the browser, too.
            #expect(await portal.refresh(try given.json.required("refresh_token")).status == 200)
            clinic.host.clock.advance(seconds: 1_799)
            #expect(await portal.visit(cookies: mine.cookies).header("Location")?.contains("code=") == true)
            clinic.host.clock.advance(seconds: 1)
            #expect(await portal.visit(cookies: mine.cookies).header("Location")?.hasPrefix("/oauth2/sign-in") == true)
            let silent = await portal.visit(["prompt": "none"], cookies: mine.cookies)
            #expect(silent.header("Location")?.contains("error=login_required") == true)
        }
    }

    @Test func `A second factor shown in a browser that was signed in is in its tokens`() async throws {
        try await Clinic.with { clinic in
            let portal = try await Portal(clinic)
            let first = try await portal.signIn()
            let app = try await clinic.enrol(clinic.admin)
            clinic.host.clock.advance(seconds: 600)
            let visited = await portal.visit(cookies: first.cookies)
            let place = visited.header("Location") ?? ""
            #expect(place.hasPrefix("/oauth2/second-factor?"))
            let asked = try await portal.show(place, first.cookies)
            let done = await portal.answer(asked, code: app.code(at: TOTP.step(at: clinic.host.clock.now)))
            let given = await portal.redeem(try Portal.code(in: done.header("Location") ?? ""))
            let claims = Portal.claims(try given.json.required("id_token"))
            #expect(claims["amr"] == .array([.string("otp"), .string("pwd")]))
            #expect(claims["acr"] == .string(Assurance.multi.rawValue))
            #expect(claims["auth_time"] == .int(clinic.host.clock.now.microseconds / 1_000_000))
            let access = Portal.claims(try given.json.required("access_token"))
            #expect(access["acr"] == .string(Assurance.multi.rawValue))
            // The browser remembers it, too.
            let later = await portal.visit(cookies: Portal.merged(first.cookies, done))
            #expect(later.header("Location")?.contains("code=") == true)
        }
    }

    @Test func `An owner's browser gets in by the pages while others' guesses are refused`() async throws {
        try await Clinic.with { clinic in
            let portal = try await Portal(clinic)
            let mine = try await portal.signIn()
            #expect(mine.cookies.contains("polyclinic_device="))
            try await clinic.guess("admin@demo.example", times: 100)
            let right = ["email": "admin@demo.example", "password": Clinic.password]
            let stranger = await portal.enter(try await portal.page(), right)
            #expect(stranger.status == 429 && stranger.header("Retry-After") != nil)

            let asked = await portal.visit(["prompt": "login"], cookies: mine.cookies)
            let page = try await portal.show(asked.header("Location") ?? "", Portal.merged(mine.cookies, asked))
            #expect(await portal.enter(page, right).status == 303)
        }
    }

    @Test func `A browser that a passkey opened is known by the name its owner types`() async throws {
        try await Clinic.with { clinic in
            _ = try await clinic.add("nisha@demo.example", "nurse")
            let device = try await clinic.register()
            let answer = try await clinic.signIn(with: device)
            let cookie = try #require(answer.header("Set-Cookie")?.split(separator: ";").first.map(String.init))
            try await clinic.guess("admin@demo.example", times: 100)
            #expect(await clinic.login("Admin@Demo.example", cookie: cookie).code == "otp_required")
            #expect(try await clinic.login("admin@demo.example").status == 429)
            // An older cookie of the same name, of another account and for a part of us only, hides nothing.
            let other = try await clinic.login("nisha@demo.example")
            let older = try #require(other.header("Set-Cookie")?.split(separator: ";").first.map(String.init))
            #expect(await clinic.login("admin@demo.example", cookie: "\(older); \(cookie)").code == "otp_required")
        }
    }

    @Test func `A phone number with other spaces is no new name to guess at`() async throws {
        let index = EmailIndex(keys: RotatingKeys(KeyChain(SymmetricKey())))
        let plain = index.failureKeys("+919820012345", from: "a")
        for typed in ["+91 98200 12345", "+91-98200-12345", "(+91) 9820012345"] {
            #expect(index.failureKeys(typed, from: "a").both == plain.both)
        }
        #expect(index.failureKeys("A@b.example", from: "a").both == index.failureKeys("a@b.example", from: "a").both)
        #expect(index.failureKeys("+919820012346", from: "a").both != plain.both)
    }

    @Test(arguments: [
        ("192.0.2.7", "192.0.2.7"), ("::ffff:192.0.2.7", "192.0.2.7"), ("::1", "0:0:0:0::/64"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"), ("2001:0DB8:1:2::ffff", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"), ("", ""), ("unix", "unix"), ("2001:db8::1%eth0", "2001:db8::1%eth0"),
    ])
    func `One customer's IPv6 addresses are one client`(address: String, network: String) {
        #expect(Network.name(of: address) == network)
    }

    @Test func `A proxy's token for a client says whom they act for`() async throws {
        try await Clinic.with { clinic in
            let father = PatientID()
            clinic.host.cards["clinical", "/internal/cards/patients/\(father)"] = JSONObject([
                ("patientId", .string(father.description)), ("active", .bool(true)),
            ])
            let daughter = try await clinic.add("leela@demo.example", "proxy")
            #expect(await clinic.grant(daughter, father).status == 201)
            let portal = try await Portal(clinic, scopes: ["openid", "clinical.read"], asksConsent: false)
            let asked = await portal.visit(["scope": "openid clinical.read"])
            let page = try await portal.show(asked.header("Location") ?? "", Portal.merged("", asked))
            let entered = await portal.enter(page, ["email": "leela@demo.example", "password": Clinic.password])
            let given = await portal.redeem(try Portal.code(in: entered.header("Location") ?? ""))
            let people = JSONValue.array([.string(father.description)])
            #expect(Portal.claims(try given.json.required("access_token"))["for"] == people)
            let next = await portal.refresh(try given.json.required("refresh_token"))
            #expect(Portal.claims(try next.json.required("access_token"))["for"] == people)
        }
    }

    @Test func `What the clinic no longer allows, clients that it registered before no longer do`() async throws {
        try await Clinic.with { clinic in
            let portal = try await Portal(clinic, asksConsent: false)
            let first = try await portal.signIn()
            let given = await portal.redeem(try Portal.code(in: first.place))
            let refresh: String = try given.json.required("refresh_token")
            @LoopActor func settle(_ name: String, _ value: JSONValue, version: Int) async {
                let answer = await clinic.patch("/v1/tenants/settings", JSONObject([(name, value)]), version: version)
                #expect(answer.status == 200)
            }
            // Consent is for each client to say; the clinic's word is for new ones.
            await settle("consentRequired", .bool(true), version: 0)
            #expect(await portal.visit(cookies: first.cookies).header("Location")?.contains("code=") == true)

            await settle("grantTypes", .array([.string("authorization_code")]), version: 1)
            #expect(await portal.refresh(refresh).json["error"] == .string("unauthorized_client"))
            let without = await portal.redeem(try Portal.code(in: try await portal.signIn(cookies: first.cookies).place))
            #expect(without.status == 200 && !without.json.has("refresh_token"))
            await settle("grantTypes", .array([.string("refresh_token")]), version: 2)
            let refused = await portal.visit(cookies: first.cookies)
            #expect(refused.header("Location")?.contains("error=unauthorized_client") == true)

            await settle("redirectOrigins", .array([.string("https://only.example")]), version: 3)
            let nowhere = await portal.visit(cookies: first.cookies)
            #expect(nowhere.status == 400 && nowhere.header("Location") == nil)
            let bye = ["client_id": portal.id, "post_logout_redirect_uri": "https://portal.example/bye"]
            #expect(await portal.leave("GET", bye, cookies: first.cookies).status == 400)
        }
    }
}

extension Clinic {
    /// As somebody who forgot the password does, with the code that was sent.
    func reset(_ email: String, to password: String) async throws {
        let asked = await open("/v1/auth/password-reset", JSONObject([("contact", .string(email))]))
        let id: ID<ContactRequest> = try asked.json.required("id")
        let key = host.host.config.masterKey.derived(for: "contact requests")
        let answer = await open(
            "/v1/auth/password-reset/confirmation",
            JSONObject([
                ("id", .string(id.description)), ("code", .string(ContactRequest.code(id, key: key))),
                ("newPassword", .string(password)),
            ]))
        guard answer.status == 204 else { throw Failed(what: "reset answered \(answer.status) \(answer.code ?? "")") }
    }
}
