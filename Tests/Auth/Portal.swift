import Bootstrap
import Cryptography
import HTTP
import JSON
import Loop
import TestSupport

@testable import Auth

extension TestHost {
    /// A form, as browsers and OAuth clients send them.
    func form(
        _ path: String, _ fields: [String: String], headers: [(name: String, value: String)] = []
    ) async -> Answer {
        let text = fields.map { "\($0.key)=\(Form.encoded($0.value))" }.joined(separator: "&")
        return await send(
            "POST", path, bytes: [UInt8](text.utf8), bearer: nil,
            headers: headers + [("Content-Type", "application/x-www-form-urlencoded")])
    }
}

/// A client of the clinic, and a browser in which the administrator uses it.
@LoopActor struct Portal {
    private let clinic: Clinic
    private let id: String
    private let secret: String
    private let verifier = String(repeating: "v", count: 64)

    var challenge: String { Base64URL.encode(SHA256.digest([UInt8](verifier.utf8))) }

    init(_ clinic: Clinic, name: String = "Portal") async throws {
        self.clinic = clinic
        let words: ([String]) -> JSONValue = { .array($0.map { .string($0) }) }
        let made = await clinic.post(
            "/v1/auth/clients",
            JSONObject([
                ("name", .string(name)), ("grantTypes", words(["authorization_code", "refresh_token"])),
                ("redirectUris", words(["https://portal.example/back"])), ("scopes", words(["openid", "profile", "users.manage"])),
            ]))
        id = try made.json.required("clientId")
        secret = try made.json.required("clientSecret")
    }

    /// A client's link, with changes; an empty value leaves a parameter out.
    func visit(_ changes: [String: String] = [:], cookies: String = "") async -> TestHost.Answer {
        let wish = [
            "response_type": "code", "client_id": id, "redirect_uri": "https://portal.example/back", "scope": "openid profile",
            "state": "here", "nonce": "n", "code_challenge": challenge, "code_challenge_method": "S256",
        ].merging(changes) { $1 }
        let query = wish.filter { !$0.value.isEmpty }.map { "\($0.key)=\(Form.encoded($0.value))" }.joined(separator: "&")
        return await clinic.host.send(
            "GET", "/oauth2/authorize?" + query, bytes: [], bearer: nil, headers: cookies.isEmpty ? [] : [("Cookie", cookies)])
    }

    struct Shown {
        var cookies: String
        let attempt: String
        let token: String
        let text: String
        let policy: String
    }

    /// The sign-in page.
    func page() async throws -> Shown {
        let answer = await visit()
        return try await show(answer.header("Location") ?? "", Self.cookies(answer))
    }

    func show(_ place: String, _ cookies: String) async throws -> Shown {
        let page = await clinic.host.send("GET", place, bytes: [], bearer: nil, headers: [("Cookie", cookies)])
        guard page.status == 200 else { throw Clinic.Failed(what: "\(place) answered \(page.status)") }
        let text = String(decoding: page.bytes, as: UTF8.self)
        return Shown(
            cookies: cookies, attempt: Self.hidden("attempt", text), token: Self.hidden("token", text), text: text,
            policy: page.header("Content-Security-Policy") ?? "")
    }

    func enter(
        _ page: Shown, _ fields: [String: String], headers: [(name: String, value: String)] = []
    ) async -> TestHost.Answer {
        await clinic.host.form(
            "/oauth2/sign-in", ["attempt": page.attempt, "token": page.token].merging(fields) { $1 },
            headers: headers + [("Cookie", page.cookies)])
    }

    func answer(_ page: Shown, code: String) async -> TestHost.Answer {
        await clinic.host.form(
            "/oauth2/second-factor", ["attempt": page.attempt, "token": page.token, "code": code],
            headers: [("Cookie", page.cookies)])
    }

    /// From the link to the code: password, consent where it is asked for.
    func code() async throws -> String {
        let page = try await page()
        let entered = await enter(page, ["email": "admin@demo.example", "password": Clinic.password])
        var place = entered.header("Location") ?? ""
        if place.hasPrefix("/oauth2/") {
            let consent = try await show(place, page.cookies)
            let agreed = await clinic.host.form(
                "/oauth2/consent", ["attempt": consent.attempt, "token": consent.token, "decision": "allow"],
                headers: [("Cookie", page.cookies)])
            place = agreed.header("Location") ?? ""
        }
        guard let start = place.firstRange(of: "code=") else { throw Clinic.Failed(what: "no code in \(place)") }
        return String(place[start.upperBound...].prefix { $0 != "&" })
    }

    func redeem(_ code: String, _ changes: [String: String] = [:]) async -> TestHost.Answer {
        await clinic.host.form(
            "/oauth2/token",
            [
                "grant_type": "authorization_code", "code": code, "code_verifier": verifier, "client_id": id,
                "client_secret": secret, "redirect_uri": "https://portal.example/back",
            ].merging(changes) { $1 })
    }

    func refresh(_ token: String) async -> TestHost.Answer {
        await clinic.host.form(
            "/oauth2/token",
            ["grant_type": "refresh_token", "refresh_token": token, "client_id": id, "client_secret": secret])
    }

    func userInfo(_ access: String) async -> TestHost.Answer {
        await clinic.host.send("GET", "/oauth2/userinfo", bytes: [], bearer: access)
    }

    private static func cookies(_ answer: TestHost.Answer) -> String {
        answer.headers.filter { $0.name == "Set-Cookie" }.map { String($0.value.prefix { $0 != ";" }) }.joined(separator: "; ")
    }

    private static func hidden(_ name: String, _ text: String) -> String {
        guard let start = text.firstRange(of: "name=\"\(name)\" value=\"") else { return "" }
        return String(text[start.upperBound...].prefix { $0 != "\"" })
    }
}
