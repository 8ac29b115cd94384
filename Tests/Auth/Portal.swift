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
    let clinic: Clinic
    let id: String
    private let secret: String
    private let verifier = String(repeating: "v", count: 64)

    var challenge: String { Base64URL.encode(SHA256.digest([UInt8](verifier.utf8))) }

    init(
        _ clinic: Clinic, name: String = "Portal", scopes: [String] = ["openid", "profile", "users.manage"],
        asksConsent: Bool? = nil
    ) async throws {
        self.clinic = clinic
        let words: ([String]) -> JSONValue = { .array($0.map { .string($0) }) }
        var body = JSONObject([
            ("name", .string(name)), ("grantTypes", words(["authorization_code", "refresh_token"])),
            ("redirectUris", words(["https://portal.example/back"])), ("scopes", words(scopes)),
            ("postLogoutRedirectUris", words(["https://portal.example/bye"])),
        ])
        if let asksConsent { body["consentRequired"] = .bool(asksConsent) }
        let made = await clinic.post("/v1/auth/clients", body)
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
        return try await show(answer.header("Location") ?? "", Self.merged("", answer))
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

    /// Without a code: the recovery codes were kept.
    func enrol(_ page: Shown, code: String?, cookies: String? = nil) async -> TestHost.Answer {
        await clinic.host.form(
            "/oauth2/enrolment",
            ["attempt": page.attempt, "token": page.token].merging(code.map { ["code": $0] } ?? [:]) { $1 },
            headers: [("Cookie", cookies ?? page.cookies)])
    }

    /// The key that an enrolment page shows.
    static func secret(in text: String) throws -> [UInt8] {
        guard let start = text.firstRange(of: "<code>"), let end = text.firstRange(of: "</code>") else {
            throw Clinic.Failed(what: "no key in the page")
        }
        return Clinic.base32(text[start.upperBound..<end.lowerBound].filter { $0 != " " })
    }

    /// From the link to the code: password, consent where it is asked for.
    func code() async throws -> String {
        try Self.code(in: try await signIn().place)
    }

    /// Where a sign-in led in the end, and the cookies of the browser it was made in.
    func signIn(_ email: String = "admin@demo.example", cookies: String = "") async throws -> (place: String, cookies: String) {
        let visited = await visit(cookies: cookies)
        var cookies = Self.merged(cookies, visited)
        var place = visited.header("Location") ?? ""
        if place.hasPrefix("/oauth2/sign-in") {
            var page = try await show(place, cookies)
            if page.text.contains("name=\"password\"") {
                let entered = await enter(page, ["email": email, "password": Clinic.password])
                cookies = Self.merged(cookies, entered)
                place = entered.header("Location") ?? ""
                if place.hasPrefix("/oauth2/sign-in") { page = try await show(place, cookies) }
            }
            if place.hasPrefix("/oauth2/sign-in") {
                let agreed = await agree(page)
                cookies = Self.merged(cookies, agreed)
                place = agreed.header("Location") ?? ""
            }
        }
        return (place, cookies)
    }

    func agree(_ page: Shown) async -> TestHost.Answer {
        await clinic.host.form(
            "/oauth2/consent", ["attempt": page.attempt, "token": page.token, "decision": "allow"],
            headers: [("Cookie", page.cookies)])
    }

    static func code(in place: String) throws -> String {
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

    func leave(
        _ method: String, _ fields: [String: String], cookies: String = ""
    ) async -> TestHost.Answer {
        let headers = cookies.isEmpty ? [] : [(name: "Cookie", value: cookies)]
        if method == "POST" { return await clinic.host.form("/oauth2/logout", fields, headers: headers) }
        let query = fields.map { "\($0.key)=\(Form.encoded($0.value))" }.joined(separator: "&")
        return await clinic.host.send("GET", "/oauth2/logout?" + query, bytes: [], bearer: nil, headers: headers)
    }

    /// What a browser keeps after an answer.
    static func merged(_ cookies: String, _ answer: TestHost.Answer) -> String {
        var kept: [(name: String, value: String)] = []
        let told = answer.headers.filter { $0.name == "Set-Cookie" }.map { String($0.value.prefix { $0 != ";" }) }
        for pair in cookies.split(separator: ";").map({ String($0.drop { $0 == " " }) }) + told {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            kept.removeAll { $0.name == parts[0] }
            if parts.count == 2, !parts[1].isEmpty { kept.append((parts[0], parts[1])) }
        }
        return kept.map { "\($0.name)=\($0.value)" }.joined(separator: "; ")
    }

    /// The claims of a JWT.
    static func claims(_ token: String) -> JSONObject {
        let parts = token.split(separator: ".")
        guard parts.count == 3, let bytes = Base64URL.decode(String(parts[1])),
            case .object(let claims)? = try? JSONValue.parse(bytes)
        else { return JSONObject() }
        return claims
    }

    private static func hidden(_ name: String, _ text: String) -> String {
        guard let start = text.firstRange(of: "name=\"\(name)\" value=\"") else { return "" }
        return String(text[start.upperBound...].prefix { $0 != "\"" })
    }
}
