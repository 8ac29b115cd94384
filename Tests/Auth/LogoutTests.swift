import Access
import Bootstrap
import Cryptography
import JSON
import Loop
import Primitives
import TestSupport
import Testing

@testable import Auth

struct LogoutTests {
    private static let bye = "https://portal.example/bye"

    /// A client with a browser signed in to it, and what it was given.
    @LoopActor private struct Visitor {
        let portal: Portal
        let cookies: String
        let access: String
        let idToken: String

        init(_ clinic: Clinic) async throws {
            portal = try await Portal(clinic)
            let signed = try await portal.signIn()
            cookies = signed.cookies
            let given = await portal.redeem(try Portal.code(in: signed.place))
            access = try given.json.required("access_token")
            idToken = try given.json.required("id_token")
            clinic.host.clock.advance(seconds: 1)
        }

        var isIn: Bool {
            get async { await portal.userInfo(access).status == 200 }
        }
        /// Whether the browser still gets codes without a question.
        var isKnown: Bool {
            get async {
                await portal.visit(["prompt": "none"], cookies: cookies).header("Location")?.contains("code=") == true
            }
        }
    }

    @Test func `Another site's form with an ID token ends the session that the token is of`() async throws {
        try await Clinic.with { clinic in
            let visitor = try await Visitor(clinic)
            // A cross-site POST: no cookie of ours comes along.
            let answer = await visitor.portal.leave(
                "POST", ["id_token_hint": visitor.idToken, "post_logout_redirect_uri": Self.bye, "state": "s"])
            #expect(answer.status == 303 && answer.header("Location") == Self.bye + "?state=s")
            #expect(await !visitor.isIn)
            #expect(await !visitor.isKnown)
        }
    }

    @Test func `Another site's form without an ID token ends nothing and asks the person`() async throws {
        try await Clinic.with { clinic in
            let visitor = try await Visitor(clinic)
            let answer = await visitor.portal.leave(
                "POST", ["client_id": visitor.portal.id, "post_logout_redirect_uri": Self.bye, "state": "s"])
            #expect(answer.header("Set-Cookie") == nil)
            let place = try #require(answer.header("Location"))
            #expect(answer.status == 303 && place.hasPrefix("/oauth2/logout?client_id=\(visitor.portal.id)"))
            // By a link the cookies do come.
            let page = try await visitor.portal.show(place, visitor.cookies)
            #expect(page.text.contains("Sign out?"))
            #expect(await visitor.isKnown)
            let done = await visitor.portal.leave(
                "POST", ["client_id": visitor.portal.id, "post_logout_redirect_uri": Self.bye, "state": "s", "token": page.token],
                cookies: visitor.cookies)
            #expect(done.header("Location") == Self.bye + "?state=s")
            #expect(done.header("Set-Cookie")?.contains("Max-Age=0") == true)
            #expect(await !visitor.isIn)
        }
    }

    @Test func `A link that names another clinic's application signs nobody out`() async throws {
        try await Clinic.with { clinic in
            let visitor = try await Visitor(clinic)
            try await Clinic.open("Other Clinic", admin: "admin@other.example", on: clinic.host)
            let other = Clinic(host: clinic.host, admin: try await Clinic.signIn("admin@other.example", on: clinic.host))
            let theirs = try await Portal(other, name: "Theirs")
            let answer = await theirs.leave(
                "GET", ["client_id": theirs.id, "post_logout_redirect_uri": Self.bye], cookies: visitor.cookies)
            #expect(answer.header("Set-Cookie") == nil)
            #expect(await visitor.isKnown)
            #expect(await visitor.isIn)
        }
    }

    @Test func `An ID token signs out after its end, and by a retired key the person is asked`() async throws {
        try await Clinic.with(["AUTH_STAFF_IDLE_SECONDS": "7200"]) { clinic in
            let visitor = try await Visitor(clinic)
            let old = try await Visitor(clinic)
            clinic.host.clock.advance(seconds: 3600)
            let answer = await visitor.portal.leave("GET", ["id_token_hint": visitor.idToken], cookies: visitor.cookies)
            #expect(answer.status == 200 && answer.header("Set-Cookie")?.contains("Max-Age=0") == true)
            #expect(await !visitor.isKnown)

            let verifier = clinic.host.host.verifier
            verifier.pin(KeySet([try SigningKey.generate().verifying]))
            let asked = await old.portal.leave(
                "GET", ["id_token_hint": old.idToken, "post_logout_redirect_uri": Self.bye], cookies: old.cookies)
            #expect(asked.status == 200 && asked.header("Set-Cookie") == nil)
            #expect(String(decoding: asked.bytes, as: UTF8.self).contains("Sign out?"))
            // Nor does it end anything from afar.
            let afar = await old.portal.leave("POST", ["id_token_hint": old.idToken])
            #expect(afar.status == 303 && afar.header("Location") == "/oauth2/logout?client_id=\(old.portal.id)")
            #expect(await old.isKnown)
        }
    }

    @Test func `A changed ID token is nobody's`() async throws {
        try await Clinic.with { clinic in
            let visitor = try await Visitor(clinic)
            var parts = visitor.idToken.split(separator: ".").map(String.init)
            parts[2] = Base64URL.encode([UInt8](repeating: 7, count: 64))
            let answer = await visitor.portal.leave("POST", ["id_token_hint": parts.joined(separator: ".")])
            #expect(answer.status == 400)
            #expect(await visitor.isIn)
        }
    }
}
