import Bootstrap
import JSON
import Loop
import Postgres
import Primitives
import TestSupport
import Testing

@testable import Auth

struct DeactivationTests {
    @Test func `A deactivated account is out at once and back only by a new sign-in`() async throws {
        try await Clinic.with { clinic in
            let id = try await clinic.add("nisha@demo.example", "nurse")
            let nurse = try await clinic.signIn("nisha@demo.example")
            clinic.host.clock.advance(seconds: 1)
            #expect(await clinic.deactivate(id).status == 200)

            let refused = await clinic.get("/v1/auth/me", as: nurse)
            #expect(refused.status == 401 && refused.code == "token_revoked")
            #expect(await clinic.refresh(nurse.refresh).status == 401)
            #expect(try await clinic.login("nisha@demo.example").code == "invalid_credentials")
            let facts = try await clinic.host.announced().map(\.type)
            #expect(facts.last == "auth.account.deactivated.v1")

            clinic.host.clock.advance(seconds: 1)
            let back = await clinic.patch("/v1/users/\(id)", JSONObject([("active", .bool(true))]), version: 2)
            #expect(back.status == 200)
            #expect(await clinic.get("/v1/auth/me", as: nurse).status == 401)
            let again = try await clinic.signIn("nisha@demo.example")
            #expect(await clinic.get("/v1/auth/me", as: again).status == 200)
        }
    }

    @Test func `A clock that went back leaves no token of a deactivated account good`() async throws {
        try await Clinic.with { clinic in
            let id = try await clinic.add("nisha@demo.example", "nurse")
            let nurse = try await clinic.signIn("nisha@demo.example")
            #expect(await clinic.get("/v1/auth/me", as: nurse).status == 200)
            clinic.host.clock.advance(seconds: -20)
            #expect(await clinic.deactivate(id).status == 200)
            #expect(await clinic.get("/v1/auth/me", as: nurse).code == "token_revoked")
            clinic.host.clock.advance(seconds: 60)
            #expect(await clinic.get("/v1/auth/me", as: nurse).code == "token_revoked")
        }
    }

    @Test func `The line of void tokens is written with the change`() async throws {
        try await Clinic.with { clinic in
            let id = try await clinic.add("nisha@demo.example", "nurse")
            clinic.host.clock.advance(seconds: 1)
            _ = await clinic.deactivate(id)
            let line = try await clinic.host.host.db.systemReader.first(
                "select valid_from from revoked_account where account_id = \(id)",
                as: { row in try row.next(as: Timestamp.self) })
            #expect(line == clinic.host.clock.now)
        }
    }

    @Test func `New roles count from the next token on`() async throws {
        try await Clinic.with { clinic in
            let id = try await clinic.add("nisha@demo.example", "nurse")
            let before = try await clinic.signIn("nisha@demo.example")
            clinic.host.clock.advance(seconds: 1)
            let roles = JSONObject([("roles", .array([.string("admin")]))])
            #expect(await clinic.patch("/v1/users/\(id)", roles, version: 1).status == 200)
            #expect(await clinic.get("/v1/auth/me", as: before).code == "token_revoked")
            clinic.host.clock.advance(seconds: 1)
            let after = try await clinic.signIn("nisha@demo.example")
            #expect(await clinic.get("/v1/users", as: after).status == 200)
            #expect(try await clinic.host.announced().last?.type == "auth.account.roles_changed.v1")
        }
    }

    @Test func `An administrator gives themselves no role, and lays one down`() async throws {
        try await Clinic.with { clinic in
            let id = try await clinic.add("second@demo.example", "admin", "nurse")
            let second = try await clinic.signIn("second@demo.example")
            func roles(_ names: String...) -> JSONObject { JSONObject([("roles", .array(names.map { .string($0) }))]) }
            for wish in [roles("admin", "nurse", "doctor"), roles("admin", "cashier")] {
                let own = await clinic.patch("/v1/users/\(id)", wish, version: 1, as: second)
                #expect((own.status, own.code) == (403, "own_roles"))
            }
            #expect(await clinic.patch("/v1/users/\(id)", roles("admin", "nurse", "doctor"), version: 1).status == 200)
            clinic.host.clock.advance(seconds: 1)
            let again = try await clinic.signIn("second@demo.example")
            #expect(await clinic.patch("/v1/users/\(id)", roles("admin"), version: 2, as: again).status == 200)
        }
    }

    @Test func `The last administrator stays, whatever is tried at once`() async throws {
        try await Clinic.with { clinic in
            #expect(await clinic.deactivate(clinic.admin.id).code == "last_admin")
            let other = try await clinic.add("second@demo.example", "admin")
            let second = try await clinic.signIn("second@demo.example")
            let first = clinic.admin
            // Each removes the other in the same moment.
            let answers = try await together([
                { @LoopActor @Sendable in await clinic.deactivate(other, as: first) },
                { @LoopActor @Sendable in await clinic.deactivate(first.id, as: second) },
            ])
            #expect(answers.filter { $0.status == 200 }.count == 1)
            #expect(answers.contains { $0.code == "last_admin" || $0.status == 401 })
        }
    }

    @Test func `Opening a tenant again changes nothing`() async throws {
        try await Clinic.with { clinic in
            let before = try await clinic.host.announced().count
            try await Clinic.open("Demo Clinic", admin: "admin@demo.example", on: clinic.host)
            #expect(try await clinic.host.announced().count == before)
            #expect(try await clinic.signIn("admin@demo.example").id == clinic.admin.id)
            await #expect(throws: Clinic.Failed.self) {
                try await Clinic.open("Third Clinic", admin: "admin@demo.example", on: clinic.host)
            }
        }
    }

    @Test func `What is long over is swept away`() async throws {
        try await Clinic.with { clinic in
            _ = try await clinic.login("nobody@demo.example", "not the password")
            clinic.host.clock.advance(seconds: 43_200 + 86_401)
            try await SessionSweeper(host: clinic.host.host).sweep()
            let reader = clinic.host.host.db.reader(for: clinic.admin.tenant)
            let left = try await reader.first(
                """
                select (select count(*) from session) + (select count(*) from refresh_token)
                     + (select count(*) from login_failure)
                """, as: { row in try row.next(as: Int.self) })
            #expect(left == 0)
        }
    }
}
