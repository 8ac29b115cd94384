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

/// The provider through the whole pipeline, as a browser and a client meet it.
struct OpenIDTests {
    @Test func `A code is good once, and its second coming takes back what it gave`() async throws {
        try await Clinic.with { clinic in
            let portal = try await Portal(clinic)
            let code = try await portal.code()
            let first = await portal.redeem(code)
            #expect(first.status == 200, "\(first.json)")
            let access: String = try first.json.required("access_token")
            #expect(await portal.userInfo(access).status == 200)
            clinic.host.clock.advance(seconds: 1)
            #expect(await portal.redeem(code).json["error"] == .string("invalid_grant"))
            #expect(await portal.userInfo(access).status == 401)
            let facts = try await clinic.host.announced().filter { $0.type == "auth.session.ended.v1" }
            #expect(facts.map { $0.data["reason"] } == [.string("code_reused")])
        }
    }

    @Test func `Of twenty who bring one code at once, one is given tokens`() async throws {
        try await Clinic.with { clinic in
            let portal = try await Portal(clinic)
            let code = try await portal.code()
            let answers = try await together(20) { await portal.redeem(code).status }
            #expect(answers.filter { $0 == 200 }.count == 1)
        }
    }

    @Test func `A code needs its verifier, its client, its address and its minute`() async throws {
        try await Clinic.with { clinic in
            let portal = try await Portal(clinic)
            let code = try await portal.code()
            for changed in [
                ["code_verifier": String(repeating: "w", count: 64)], ["code_verifier": ""], ["code_verifier": portal.challenge],
                ["redirect_uri": "https://portal.example/back/"], ["redirect_uri": "https://portal.example/other"],
            ] {
                #expect(await portal.redeem(code, changed).status == 400)
            }
            let stranger = try await Portal(clinic, name: "Stranger")
            #expect(await stranger.redeem(code).json["error"] == .string("invalid_grant"))
            clinic.host.clock.advance(seconds: AuthorizationCode.life + 1)
            #expect(await portal.redeem(code).json["error"] == .string("invalid_grant"))
        }
    }

    @Test(arguments: [
        "https://portal.example/back/", "https://portal.example/backdoor", "https://portal.example/bac",
        "https://portal.example/back?x=1", "https://portal.example/back#x", "https://PORTAL.example/back",
        "https://portal.example:443/back", "https://portal.example/back/../back", "http://portal.example/back",
        "https://portal.example.evil.example/back", "https://portal.example@evil.example/back",
    ])
    func `An address that is not the registered one gets no code and no visitor`(address: String) async throws {
        try await Clinic.with { clinic in
            let portal = try await Portal(clinic)
            let answer = await portal.visit(["redirect_uri": address])
            #expect(answer.status == 400 && answer.header("Location") == nil)
        }
    }

    @Test func `Without a challenge by S256 there is no code`() async throws {
        try await Clinic.with { clinic in
            let portal = try await Portal(clinic)
            for changed in [
                ["code_challenge": ""], ["code_challenge_method": "plain"], ["code_challenge_method": ""],
                ["code_challenge": "short"], ["response_type": "token"], ["response_type": "code token"],
            ] {
                let place = await portal.visit(changed).header("Location") ?? ""
                #expect(place.hasPrefix("https://portal.example/back?error="), "\(changed)")
                #expect(place.contains("state=here") && place.contains("iss=http%3A%2F%2Flocalhost%3A8080"))
            }
        }
    }

    @Test func `A client's refresh token is its own, and a family ends when a token comes back`() async throws {
        try await Clinic.with { clinic in
            let portal = try await Portal(clinic)
            let first: String = try await portal.redeem(try await portal.code()).json.required("refresh_token")
            #expect(await clinic.refresh(first).code == "token_invalid", "the suite's own door is not for clients")
            let second: String = try await portal.refresh(first).json.required("refresh_token")
            let again = await portal.refresh(first)
            #expect(again.json["refresh_token"] == .string(second), "a lost answer, within ten seconds")
            let third = await portal.refresh(second)
            #expect(third.status == 200)
            #expect(await portal.refresh(first).json["error"] == .string("invalid_grant"))
            #expect(await portal.refresh(try third.json.required("refresh_token")).status == 400)
            let stranger = try await Portal(clinic, name: "Stranger")
            let own: String = try await portal.redeem(try await portal.code()).json.required("refresh_token")
            #expect(await stranger.refresh(own).status == 400)
            #expect(await portal.refresh(own).status == 200)
        }
    }

    @Test func `A machine's token does what its roles and scopes both allow, where it is for`() async throws {
        try await Clinic.with { clinic in
            let made = await clinic.post(
                "/v1/auth/clients",
                JSONObject([
                    ("name", .string("Machine")), ("grantTypes", .array([.string("client_credentials")])),
                    ("roles", .array([.string("admin")])), ("scopes", .array([.string("users.manage"), .string("queue.read")])),
                ]))
            #expect(made.status == 201)
            let id: String = try made.json.required("clientId")
            let secret: String = try made.json.required("clientSecret")
            @LoopActor func ask(_ scope: String) async -> TestHost.Answer {
                await clinic.host.form(
                    "/oauth2/token",
                    ["grant_type": "client_credentials", "client_id": id, "client_secret": secret, "scope": scope])
            }
            let users: String = try await ask("users.manage").json.required("access_token")
            #expect(await clinic.host.send("GET", "/v1/users", bytes: [], bearer: users).status == 200)
            #expect(await clinic.host.send("GET", "/v1/locations", bytes: [], bearer: users).status == 403)
            let queue: String = try await ask("queue.read").json.required("access_token")
            #expect(await clinic.host.send("GET", "/v1/users", bytes: [], bearer: queue).status == 401)
            #expect(await ask("billing.write").json["error"] == .string("invalid_scope"))
            clinic.host.clock.advance(seconds: 1)
            let gone = await clinic.host.send("DELETE", "/v1/auth/clients/\(id)", bytes: [], bearer: clinic.admin.access)
            #expect(gone.status == 204)
            #expect(await clinic.host.send("GET", "/v1/users", bytes: [], bearer: users).code == "token_revoked")
            #expect(await ask("users.manage").status == 401)
        }
    }

    @Test func `A client is registered only with what is safe and what the clinic allows`() async throws {
        try await Clinic.with { clinic in
            @LoopActor func register(_ changes: [String: JSONValue]) async -> TestHost.Answer {
                var body = JSONObject([
                    ("name", .string("Portal")), ("grantTypes", .array([.string("authorization_code")])),
                    ("redirectUris", .array([.string("https://portal.example/back")])),
                    ("scopes", .array([.string("openid")])),
                ])
                for (name, value) in changes { body[name] = value }
                return await clinic.post("/v1/auth/clients", body)
            }
            for address in [
                "http://portal.example/back", "https://portal.example/back#x", "https://a@portal.example/", "javascript:alert(1)",
                "data:text/html,x", "app:/back", "https:///back", "//portal.example/back",
            ] {
                let refused = await register(["redirectUris": .array([.string(address)])])
                #expect(refused.status == 400, "\(address)")
            }
            #expect(await register(["redirectUris": .array([])]).status == 400)
            #expect(await register(["grantTypes": .array([.string("client_credentials")])]).status == 400)
            #expect(await register(["grantTypes": .array([.string("password")])]).status == 400)
            let machine: [String: JSONValue] = [
                "grantTypes": .array([.string("client_credentials")]), "roles": .array([.string("pharmacist")]),
                "scopes": .array([.string("clinical.write")]), "redirectUris": .array([]),
            ]
            #expect(await register(machine).code == "scope_beyond_roles")
            let tag = await clinic.get("/v1/tenants/settings")
            #expect(tag.status == 200 && tag.json["consentRequired"] == .bool(true))
            let changed = await clinic.patch(
                "/v1/tenants/settings",
                JSONObject([
                    ("redirectOrigins", .array([.string("https://only.example")])), ("accessTokenSeconds", .int(120)),
                ]), version: 0)
            #expect(changed.status == 200)
            #expect(await register([:]).code == "origin_not_allowed")
            let fresh = try await clinic.login("admin@demo.example")
            #expect(fresh.json["expiresIn"] == .int(120))
            #expect(await clinic.patch("/v1/tenants/settings", JSONObject([("accessTokenSeconds", .int(901))]), version: 1).status == 400)
            #expect(await clinic.patch("/v1/tenants/settings", JSONObject([("accessTokenSeconds", .int(900))]), version: 0).status == 412)
        }
    }

    @Test func `A form from another page, another browser or another site is refused`() async throws {
        try await Clinic.with { clinic in
            let portal = try await Portal(clinic)
            let page = try await portal.page()
            let right = ["email": "admin@demo.example", "password": Clinic.password]
            let cookies = page.cookies
            #expect(await portal.enter(page, right, headers: [("Origin", "https://evil.example")]).status == 403)
            #expect(await portal.enter(page, right, headers: [("Sec-Fetch-Site", "cross-site")]).status == 403)
            #expect(await portal.enter(page, right.merging(["token": "A"]) { $1 }).status == 403)
            var other = page
            other.cookies = "__Host-polyclinic-browser=" + Browser.fresh()
            #expect(await portal.enter(other, right).status == 403)
            other.cookies = ""
            #expect(await portal.enter(other, right).status == 403)
            #expect(cookies.hasPrefix("__Host-polyclinic-browser="))
            let wrong = await portal.enter(page, ["email": "admin@demo.example", "password": "not the password"])
            #expect(wrong.status == 422)
            #expect(await portal.enter(page, right).status == 303)
        }
    }

    @Test func `What a client wrote is text on our pages`() async throws {
        try await Clinic.with { clinic in
            let portal = try await Portal(clinic, name: #"<script>alert("1")</script>&'"#)
            let page = try await portal.page()
            #expect(!page.text.contains("<script>") && page.text.contains("&lt;script&gt;alert(&quot;1&quot;)"))
            #expect(page.policy.contains("default-src 'none'") && !page.policy.contains("unsafe"))
        }
    }

    @Test func `Who has a second factor gets no code without it`() async throws {
        try await Clinic.with { clinic in
            let app = try await clinic.enrol(clinic.admin)
            let portal = try await Portal(clinic)
            let page = try await portal.page()
            let entered = await portal.enter(page, ["email": "admin@demo.example", "password": Clinic.password])
            let place = entered.header("Location") ?? ""
            #expect(place.hasPrefix("/oauth2/second-factor?"))
            let asked = try await portal.show(place, page.cookies)
            #expect(await portal.answer(asked, code: "000000").status == 422)
            clinic.host.clock.advance(seconds: 60)
            let right = app.code(at: TOTP.step(at: clinic.host.clock.now))
            let next = await portal.answer(asked, code: right)
            #expect(next.status == 303 && next.header("Location")?.hasPrefix("/oauth2/sign-in?") == true)
            let again = await portal.answer(asked, code: right)
            #expect(again.status == 400, "the page has been answered")
        }
    }
}
