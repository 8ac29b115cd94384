import JSON
import Loop
import Primitives
import TestSupport
import Testing

@testable import Auth

struct LiveSessionTests {
    @Test func `People see where they are signed in, and sign out there`() async throws {
        try await Clinic.with { clinic in
            _ = try await clinic.add("nisha@demo.example", "nurse")
            let phone = try await clinic.signIn("nisha@demo.example")
            let desk = try await clinic.signIn("nisha@demo.example")
            // The one of choosing the password, the phone's, the desk's; nobody else's.
            let seen = await clinic.get("/v1/auth/sessions", as: desk).items
            #expect(seen.count == 3 && seen.filter { $0["current"] == .bool(true) }.count == 1)
            #expect(seen.allSatisfy { $0["kind"] == .string("session") && $0["lastUsedAt"] != nil && $0["application"] == nil })

            let theirs = try #require(await clinic.get("/v1/auth/sessions").items.first?.required("id", as: String.self))
            #expect(await clinic.delete("/v1/auth/sessions/\(theirs)", as: desk).status == 404)
            #expect(await clinic.get("/v1/auth/me").status == 200)

            clinic.host.clock.advance(seconds: 1)
            let id = try #require(await clinic.get("/v1/auth/sessions", as: phone).items.first { $0["current"] == .bool(true) })["id"]
            guard case .string(let id) = id else { throw Clinic.Failed(what: "no id") }
            #expect(await clinic.delete("/v1/auth/sessions/\(id)", as: desk).status == 204)
            #expect(await clinic.get("/v1/auth/me", as: phone).code == "token_revoked")
            #expect(await clinic.refresh(phone.refresh).status == 401)
            #expect(await clinic.get("/v1/auth/me", as: desk).status == 200)
            #expect(await clinic.get("/v1/auth/sessions", as: desk).items.count == 2)
        }
    }

    @Test func `Whoever is signed in exports what is kept about their own account, and nothing that opens it`() async throws {
        try await Clinic.with { clinic in
            _ = try await clinic.add("nisha@demo.example", "nurse")
            let nisha = try await clinic.signIn("nisha@demo.example")
            clinic.host.clock.advance(seconds: 600)
            #expect(await clinic.get("/v1/auth/me/export", as: nisha).code == "insufficient_user_authentication")
            let answer = await clinic.get("/v1/auth/me/export", as: try await clinic.signIn("nisha@demo.example"))
            #expect(answer.status == 200)
            let account: JSONObject = try answer.json.required("account")
            #expect(account["email"] == .string("nisha@demo.example"))
            guard case .array(let sessions) = answer.json["session"] else { throw Clinic.Failed(what: "no sessions") }
            #expect(sessions.count == 3, "of choosing the password, and two")
            let text = String(decoding: answer.bytes, as: UTF8.self)
            for secret in ["password_hash", "secret", "tenant_id", "public_key"] { #expect(!text.contains(secret)) }
        }
    }

    @Test func `A browser ends with what applications began in it`() async throws {
        try await Clinic.with { clinic in
            let portal = try await Portal(clinic)
            let (place, cookies) = try await portal.signIn()
            let tokens = await portal.redeem(try Portal.code(in: place))
            let access: String = try tokens.json.required("access_token")
            let items = await clinic.get("/v1/auth/sessions").items
            #expect(items.contains { $0["application"] == .string("Portal") })
            let browser = try #require(items.first { $0["kind"] == .string("browser") })
            clinic.host.clock.advance(seconds: 1)
            let id: String = try browser.required("id")
            #expect(await clinic.delete("/v1/auth/sessions/\(id)").status == 204)
            #expect(await portal.userInfo(access).status == 401)
            #expect(await clinic.get("/v1/auth/me").status == 200, "the session that asked is no browser's")
            let again = await portal.visit(cookies: cookies)
            #expect(again.header("Location")?.hasPrefix("/oauth2/sign-in") == true)
        }
    }

    @Test func `What was agreed to is taken back: the application is out at once and must ask again`() async throws {
        try await Clinic.with { clinic in
            let portal = try await Portal(clinic, scopes: ["openid", "profile", "offline_access"])
            #expect(await clinic.get("/v1/auth/consents").items.isEmpty)
            let (place, cookies) = try await portal.signIn()
            let tokens = await portal.redeem(try Portal.code(in: place))
            let access: String = try tokens.json.required("access_token")
            // Another code, on its way while the consent is withdrawn.
            let second = await portal.visit(cookies: cookies)
            let late = try Portal.code(in: second.header("Location") ?? "")

            let agreed = try #require(await clinic.get("/v1/auth/consents").items.first)
            #expect(agreed["clientId"] == .string(portal.id) && agreed["name"] == .string("Portal"))
            #expect(agreed["scopes"] == .array([.string("openid"), .string("profile")]))
            _ = try await clinic.add("nisha@demo.example", "nurse")
            let other = try await clinic.signIn("nisha@demo.example")
            #expect(await clinic.delete("/v1/auth/consents/\(portal.id)", as: other).status == 404)
            #expect(await portal.userInfo(access).status == 200)

            clinic.host.clock.advance(seconds: 1)
            #expect(await clinic.delete("/v1/auth/consents/\(portal.id)").status == 204)
            #expect(await portal.userInfo(access).status == 401)
            if let refresh: String = try tokens.json.optional("refresh_token") { #expect(await portal.refresh(refresh).status == 400) }
            #expect(await portal.redeem(late).status == 400)
            let ended = try await clinic.host.announced().filter { $0.type == "auth.session.ended.v1" }
            #expect(ended.contains { $0.data["reason"] == .string("consent_withdrawn") })
            #expect(await clinic.get("/v1/auth/consents").items.isEmpty)
            #expect(await clinic.delete("/v1/auth/consents/\(portal.id)").status == 404)
            let place2 = await portal.visit(cookies: cookies).header("Location") ?? ""
            #expect(try await portal.show(place2, cookies).text.contains("Allow Portal?"))
        }
    }

    @Test func `An administrator puts somebody out everywhere, and they may come in again`() async throws {
        try await Clinic.with { clinic in
            let nurse = try await clinic.add("nisha@demo.example", "nurse")
            let portal = try await Portal(clinic, asksConsent: false)
            let (_, cookies) = try await portal.signIn("nisha@demo.example")
            let who = try await clinic.signIn("nisha@demo.example")
            clinic.host.clock.advance(seconds: 1)
            #expect(await clinic.delete("/v1/users/\(nurse)/sessions", as: who).status == 403)
            #expect(await clinic.delete("/v1/users/\(AccountID())/sessions").status == 404)
            #expect(await clinic.delete("/v1/users/\(nurse)/sessions").status == 204)
            #expect(await clinic.get("/v1/auth/me", as: who).code == "token_revoked")
            #expect(await clinic.refresh(who.refresh).status == 401)
            #expect(await portal.visit(cookies: cookies).header("Location")?.hasPrefix("/oauth2/sign-in") == true)
            let ended = try await clinic.host.announced().filter { $0.type == "auth.session.ended.v1" }
            #expect(ended.contains { $0.data["reason"] == .string("ended_by_administrator") })
            clinic.host.clock.advance(seconds: 1)
            let again = try await clinic.signIn("nisha@demo.example")
            #expect(await clinic.get("/v1/auth/me", as: again).status == 200)
        }
    }
}
