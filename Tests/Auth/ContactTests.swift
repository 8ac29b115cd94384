import Bootstrap
import Cryptography
import HTTP
import JSON
import Loop
import Postgres
import Primitives
import TestSupport
import Testing

@testable import Auth

/// Codes by e-mail and phone. No message leaves: the code follows from its id and our key.
struct ContactTests {
    private let email = "nisha@demo.example"

    @Test func `A code is good for ten minutes`() async throws {
        try await Clinic.sendingCodes { clinic in
            _ = try await clinic.add(email, "nurse")
            let old = try await clinic.askForReset(email)
            clinic.host.clock.advance(seconds: 600)
            #expect(await clinic.reset(old).code == "code_wrong")
            let fresh = try await clinic.askForReset(email)
            clinic.host.clock.advance(seconds: 599)
            #expect(await clinic.reset(fresh).status == 204)
        }
    }

    @Test func `Of fifty guesses at once five are looked at, and then the right code is worth nothing`() async throws {
        try await Clinic.sendingCodes { clinic in
            _ = try await clinic.add(email, "nurse")
            let asked = try await clinic.askForReset(email)
            let wrong = clinic.wrongCode(asked)
            let answers = try await together(50) { await clinic.reset(asked, code: wrong) }
            #expect(answers.allSatisfy { $0.code == "code_wrong" })
            #expect(try await clinic.tries(asked) == 5)
            #expect(await clinic.reset(asked).code == "code_wrong")
            #expect(try await clinic.login(email).status == 200)
        }
    }

    @Test func `Of fifty right codes at once one counts`() async throws {
        try await Clinic.sendingCodes { clinic in
            _ = try await clinic.add(email, "nurse")
            let asked = try await clinic.askForReset(email)
            let resets = try await together(50) { await clinic.reset(asked).status }
            #expect(resets.filter { $0 == 204 }.count == 1 && resets.filter { $0 == 422 }.count == 49)

            let body = JSONObject([
                ("tenantId", .string(clinic.admin.tenant.description)), ("contact", .string("meera@mail.example")),
                ("name", .string("Meera")), ("password", .string("quay lamp seven rivers")),
            ])
            let signUp = await clinic.open("/v1/auth/sign-up", body)
            let id: ID<ContactRequest> = try signUp.json.required("id")
            let signUps = try await together(50) { await clinic.confirm("/v1/auth/sign-up/confirmation", id).status }
            #expect(signUps.filter { $0 == 201 }.count == 1 && signUps.filter { $0 == 422 }.count == 49)
        }
    }

    @Test func `Wrong codes for an address wait longer and longer, however many codes were asked for`() async throws {
        try await Clinic.sendingCodes { clinic in
            _ = try await clinic.add(email, "nurse")
            try await clinic.guessCodes(email, times: 9)
            let first = try await clinic.askForReset(email)
            #expect(await clinic.reset(first, code: clinic.wrongCode(first)).code == "code_wrong")
            let second = try await clinic.askForReset(email)
            let early = await clinic.reset(second)
            #expect(early.status == 429 && early.code == "too_many_attempts" && early.header("Retry-After") != nil)
            // What was not looked at is no guess.
            #expect(try await clinic.tries(second) == 0)
            clinic.host.clock.advance(seconds: 2)
            #expect(await clinic.reset(second).status == 204)
            // A right one ends the row.
            let third = try await clinic.askForReset(email)
            #expect(await clinic.reset(third, code: clinic.wrongCode(third)).code == "code_wrong")
            #expect(await clinic.reset(third).status == 204)
        }
    }

    @Test func `After a hundred wrong codes strangers have no more guesses that day, and the owner's browser has`() async throws {
        try await Clinic.sendingCodes { clinic in
            _ = try await clinic.add(email, "nurse")
            let cookie = try await clinic.cookie(of: email)
            try await clinic.guessCodes(email, times: 100)
            clinic.host.clock.advance(seconds: 3_600)
            let asked = try await clinic.askForReset(email)
            #expect(await clinic.reset(asked).status == 429)
            let owner = await clinic.reset(asked, headers: [("cookie", cookie)])
            #expect(owner.status == 204)
        }
    }

    @Test func `What a stranger asks for leaves the owner a code from elsewhere and from their own browser`() async throws {
        try await Clinic.sendingCodes { clinic in
            _ = try await clinic.add(email, "nurse")
            let cookie = try await clinic.cookie(of: email)
            let ask = JSONObject([("contact", .string(email))])
            var answers: [Int] = []
            for _ in 0..<6 { answers.append(await clinic.open("/v1/auth/password-reset", ask, from: "192.0.2.1").status) }
            #expect(answers == [202, 202, 202, 202, 202, 429])
            #expect(await clinic.open("/v1/auth/password-reset", ask, from: "192.0.2.2").status == 202)

            // From many addresses: the mailbox is not flooded, and still the owner's browser is heard.
            answers = []
            for number in 0..<20 {
                answers.append(await clinic.open("/v1/auth/password-reset", ask, from: "198.51.100.\(number)").status)
            }
            #expect(answers.filter { $0 == 202 }.count == 14)
            let owner = await clinic.open("/v1/auth/password-reset", ask, from: "192.0.2.9", headers: [("cookie", cookie)])
            #expect(owner.status == 202)
        }
    }
}

extension Clinic {
    /// A clinic that says it sends codes; where to does not matter, no worker runs.
    nonisolated static func sendingCodes(_ body: @escaping @LoopActor @Sendable (Clinic) async throws -> Void) async throws {
        try await with(["AUTH_MESSAGE_URL": "http://127.0.0.1:9"], body)
    }

    func open(
        _ path: String, _ body: JSONObject, from address: String = "", headers: [(name: String, value: String)] = []
    ) async -> TestHost.Answer {
        await host.send("POST", path, bytes: body.jsonBytes, bearer: nil, headers: headers, from: address)
    }

    func askForReset(_ contact: String) async throws -> ID<ContactRequest> {
        let answer = await open("/v1/auth/password-reset", JSONObject([("contact", .string(contact))]))
        guard answer.status == 202 else { throw Failed(what: "password-reset answered \(answer.status)") }
        return try answer.json.required("id")
    }

    /// Without a code the right one.
    func reset(
        _ id: ID<ContactRequest>, code: String? = nil, headers: [(name: String, value: String)] = []
    ) async -> TestHost.Answer {
        await confirm("/v1/auth/password-reset/confirmation", id, code, password: "quay lamp seven rivers", headers: headers)
    }

    func confirm(
        _ path: String, _ id: ID<ContactRequest>, _ code: String? = nil, password: String? = nil,
        headers: [(name: String, value: String)] = []
    ) async -> TestHost.Answer {
        var body = JSONObject([("id", .string(id.description)), ("code", .string(code ?? rightCode(id)))])
        if let password { body["newPassword"] = .string(password) }
        return await open(path, body, headers: headers)
    }

    func rightCode(_ id: ID<ContactRequest>) -> String {
        ContactRequest.code(id, key: host.host.config.masterKey.derived(for: "contact requests"))
    }

    func wrongCode(_ id: ID<ContactRequest>) -> String { rightCode(id) == "000000" ? "000001" : "000000" }

    func tries(_ id: ID<ContactRequest>) async throws -> Int? {
        try await host.host.db.systemReader.first(
            "select tries from contact_request where id = \(id)", as: { row in try row.next(as: Int.self) })
    }

    /// As if that many wrong codes had been sent for the address, from anywhere.
    func guessCodes(_ contact: String, times: Int) async throws {
        let index = EmailIndex(keys: host.host.config.masterKeys)
        let key = index.failureKeys("guess|reset|\(contact)", from: "everywhere").both
        try await host.host.db.systemTransaction { tx in
            let now = host.clock.now
            let tally = LoginThrottle.Tally(failures: times, firstAt: now, lastAt: now.adding(seconds: -600))
            try await LoginFailureStore(sql: tx).save(tally, under: key)
        }
    }

    func cookie(of email: String) async throws -> String {
        let header = try await login(email).header("Set-Cookie")
        guard let cookie = header?.split(separator: ";").first else { throw Failed(what: "no cookie") }
        return String(cookie)
    }
}
