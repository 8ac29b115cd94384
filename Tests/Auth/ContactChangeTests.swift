import Bootstrap
import Cryptography
import JSON
import Loop
import Postgres
import Primitives
import TestSupport
import Testing

@testable import Auth

/// Signing in with another address, and who is told of what has changed.
struct ContactChangeTests {
    private let old = "nisha@demo.example"
    private let new = "nisha.thomas@demo.example"

    @Test func `An administrator corrects an address: it signs in at once, the old one no more, and nothing ends`() async throws {
        try await Clinic.sendingCodes { clinic in
            let nurse = try await clinic.add(old, "nurse")
            let who = try await clinic.signIn(old)
            try await clinic.forgetMessages()
            let changed = await clinic.readdress(nurse, to: "Nisha.Thomas@Demo.example")
            #expect(changed.status == 200 && changed.json["email"] == .string(new))
            #expect(await clinic.get("/v1/auth/me", as: who).json["email"] == .string(new))
            #expect(try await clinic.login(old).code == "invalid_credentials")
            #expect(try await clinic.login(new).status == 200)
            #expect(try await clinic.messages() == ["nisha@demo.example contact"])

            let phone = await clinic.readdress(nurse, to: "+91 98200 12345", version: 2)
            #expect(phone.json["phone"] == .string("+919820012345") && phone.json["email"] == nil)
            #expect(try await clinic.login("+91 98200-12345").status == 200)
            let trail = try await clinic.host.audited().map { String(decoding: JSONValue.object($0).jsonBytes, as: UTF8.self) }
            #expect(trail.contains { $0.contains(#""changed":["contact"]"#) })
            #expect(!trail.contains { $0.contains("thomas") || $0.contains("98200") })
        }
    }

    @Test func `One address is one account, whoever writes it down; one's own is changed with a code`() async throws {
        try await Clinic.with { clinic in
            let nurse = try await clinic.add(old, "nurse")
            #expect(await clinic.readdress(nurse, to: "admin@demo.example").code == "email_taken")
            #expect(await clinic.readdress(nurse, to: "nobody").pointers == ["/contact"])
            #expect(await clinic.readdress(clinic.admin.id, to: new).code == "own_contact")
            #expect(try await clinic.login(old).status == 200)
        }
    }

    @Test func `People change their own address with the code that went to the new one`() async throws {
        try await Clinic.sendingCodes { clinic in
            let nurse = try await clinic.add(old, "nurse")
            let who = try await clinic.signIn(old)
            try await clinic.forgetMessages()
            let asked = try await clinic.askForChange(to: new, as: who)
            #expect(await clinic.confirmChange(asked, code: clinic.wrongCode(asked), as: who).code == "code_wrong")
            // The code is for whoever asked, and good for nothing else.
            #expect(await clinic.confirmChange(asked, as: clinic.admin).code == "code_wrong")
            #expect(await clinic.reset(asked).code == "code_wrong")
            #expect(try await clinic.login(old).status == 200)

            let confirmed = await clinic.confirmChange(asked, as: who)
            #expect(confirmed.status == 204)
            #expect(await clinic.confirmChange(asked, as: who).code == "code_wrong")
            #expect(await clinic.get("/v1/auth/me", as: who).json["email"] == .string(new))
            #expect(try await clinic.login(old).code == "invalid_credentials")
            #expect(try await clinic.login(new).status == 200)
            #expect(try await clinic.messages() == ["nisha@demo.example contact"])
            #expect(await clinic.get("/v1/users/\(nurse)").json["email"] == .string(new))
        }
    }

    @Test func `An address that somebody took meanwhile stays theirs`() async throws {
        try await Clinic.sendingCodes { clinic in
            _ = try await clinic.add(old, "nurse")
            let who = try await clinic.signIn(old)
            let asked = try await clinic.askForChange(to: new, as: who)
            _ = try await clinic.add(new, "nurse")
            #expect(await clinic.confirmChange(asked, as: who).code == "email_taken")
            #expect(await clinic.get("/v1/auth/me", as: who).json["email"] == .string(old))
        }
    }

    @Test func `An account asks for five codes to an address in a quarter of an hour, and another account is heard`() async throws {
        try await Clinic.sendingCodes { clinic in
            _ = try await clinic.add(old, "nurse")
            let who = try await clinic.signIn(old)
            let body = JSONObject([("contact", .string(new))])
            var answers: [Int] = []
            for _ in 0..<6 { answers.append(await clinic.post("/v1/auth/contact", body, as: who).status) }
            #expect(answers == [202, 202, 202, 202, 202, 429])
            #expect(await clinic.post("/v1/auth/contact", body).status == 202)
        }
    }

    @Test func `The owner is told of a new password and of every factor that comes or goes`() async throws {
        try await Clinic.sendingCodes { clinic in
            let nurse = try await clinic.add(old, "nurse")
            #expect(try await clinic.messages() == ["\(old) password"], "the first one that is their own")
            let who = try await clinic.signIn(old)

            func told(_ what: String, _ change: @LoopActor @Sendable () async throws -> Void) async throws {
                try await clinic.forgetMessages()
                try await change()
                #expect(try await clinic.messages() == ["\(old) \(what)"])
            }
            try await told("password") {
                let change = JSONObject([("currentPassword", .string(Clinic.password)), ("newPassword", .string("quay lamp seven rivers"))])
                #expect(await clinic.post("/v1/auth/password", change, as: who).status == 204)
            }
            try await told("factor") { _ = try await clinic.enrol(who) }
            try await told("factor") { #expect(await clinic.post("/v1/auth/factors/recovery-codes", JSONObject(), as: who).status == 201) }
            try await told("factor") { #expect(await clinic.delete("/v1/auth/factors/totp", as: who).status == 204) }
            try await told("factor") { #expect(await clinic.delete("/v1/users/\(nurse)/factors").status == 204) }
            try await told("password") { #expect(await clinic.give(nurse).status == 201) }
            try await clinic.forgetMessages()
            let asked = try await clinic.askForReset(old)
            #expect(await clinic.reset(asked).status == 204)
            #expect(try await clinic.messages() == ["\(old) password"])
        }
    }

    @Test func `A refused change tells nobody, and where there is no gateway nothing waits for one`() async throws {
        try await Clinic.sendingCodes { clinic in
            _ = try await clinic.add(old, "nurse")
            let who = try await clinic.signIn(old)
            try await clinic.forgetMessages()
            let change = JSONObject([("currentPassword", .string("not the password")), ("newPassword", .string("quay lamp seven rivers"))])
            #expect(await clinic.post("/v1/auth/password", change, as: who).code == "password_wrong")
            #expect(try await clinic.messages().isEmpty)
        }
        try await Clinic.with { clinic in
            _ = try await clinic.add(old, "nurse")
            #expect(try await clinic.messages().isEmpty)
        }
    }
}

extension Clinic {
    func readdress(_ account: AccountID, to contact: String, version: Int = 1) async -> TestHost.Answer {
        await patch("/v1/users/\(account)", JSONObject([("contact", .string(contact))]), version: version)
    }

    func askForChange(to contact: String, as who: SignedIn) async throws -> ID<ContactRequest> {
        let answer = await post("/v1/auth/contact", JSONObject([("contact", .string(contact))]), as: who)
        guard answer.status == 202 else { throw Failed(what: "contact answered \(answer.status) \(answer.code ?? "")") }
        return try answer.json.required("id")
    }

    func confirmChange(_ id: ID<ContactRequest>, code: String? = nil, as who: SignedIn) async -> TestHost.Answer {
        let body = JSONObject([("id", .string(id.description)), ("code", .string(code ?? rightCode(id)))])
        return await post("/v1/auth/contact/confirmation", body, as: who)
    }

    /// The notices that wait for the gateway: to whom, and what of.
    func messages() async throws -> [String] {
        let key = host.host.config.masterKey.derived(for: "contact requests")
        let rows = try await host.host.db.systemReader.all(
            "select id, sealed from contact_request where purpose = 'notice' order by id",
            as: { row in (id: try row.next(as: ID<ContactRequest>.self), sealed: try row.next(as: Bytes.self)) })
        return try rows.map { row in
            let opened = try Sealed.open(row.sealed.array, key: key, context: [UInt8]("auth|contact_request|\(row.id)|1".utf8))
            guard case .object(let json) = try JSONValue.parse(opened) else { throw Failed(what: "no object") }
            return try json.required("contact", as: String.self) + " " + json.required("changed", as: String.self)
        }
    }

    func forgetMessages() async throws {
        try await host.database.asOwner("delete from contact_request where purpose = 'notice'")
    }
}
