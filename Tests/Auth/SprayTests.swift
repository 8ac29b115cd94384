import Bootstrap
import JSON
import Loop
import Primitives
import TestSupport
import Testing

@testable import Auth

struct SprayTests {
    @Test func `One password on many accounts is noticed, from however many addresses it comes`() async throws {
        try await Clinic.with(["AUTH_SPRAYED_ACCOUNTS": "4"]) { clinic in
            for number in 0..<4 { _ = try await clinic.add("nurse\(number)@demo.example", "nurse") }
            for number in 0..<3 { await clinic.guess("nurse\(number)@demo.example", from: "192.0.2.\(number)") }
            // The same person again is not one more.
            for number in 0..<3 { await clinic.guess("nurse0@demo.example", from: "192.0.2.\(number + 10)") }
            #expect(try await clinic.sprays().isEmpty)

            await clinic.guess("nurse3@demo.example", from: "198.51.100.1")
            let entry = try #require(try await clinic.sprays().first)
            #expect(entry["resourceId"] == .string(clinic.admin.tenant.description))
            #expect(entry["after"] == .object(JSONObject([("accounts", .int(4)), ("withinSeconds", .int(900))])))
            #expect(clinic.host.host.gauges["polyclinic_password_sprays"]?.value == 1)
            await clinic.guess("admin@demo.example", from: "198.51.100.2")
            #expect(try await clinic.sprays().count == 1)
        }
    }

    @Test func `Administrators are told of a spraying, and once an hour of one that lasts`() async throws {
        try await Clinic.with(["AUTH_SPRAYED_ACCOUNTS": "3"]) { clinic in
            for number in 0..<3 { _ = try await clinic.add("nurse\(number)@demo.example", "nurse") }
            func spray() async throws -> (trail: Int, told: Int) {
                for number in 0..<3 { await clinic.guess("nurse\(number)@demo.example", from: "192.0.2.\(number)") }
                let facts = try await clinic.host.announced().filter { $0.type == "auth.password_spray.noticed.v1" }
                #expect(facts.allSatisfy { $0.data["tenantId"] == .string(clinic.admin.tenant.description) && $0.data["accounts"] == .int(3) })
                return (try await clinic.sprays().count, facts.count)
            }
            #expect(try await spray() == (1, 1))
            clinic.host.clock.advance(seconds: 901)
            #expect(try await spray() == (2, 1))
            clinic.host.clock.advance(seconds: 2_699)
            #expect(try await spray() == (3, 2))
        }
    }

    @Test func `A clinic's mistakes over a day are no spraying, and strangers' addresses are nobody's`() async throws {
        try await Clinic.with(["AUTH_SPRAYED_ACCOUNTS": "3"]) { clinic in
            for number in 0..<3 { _ = try await clinic.add("nurse\(number)@demo.example", "nurse") }
            for number in 0..<3 {
                await clinic.guess("nurse\(number)@demo.example", from: "192.0.2.1")
                clinic.host.clock.advance(seconds: 500)
            }
            #expect(clinic.host.host.gauges["polyclinic_password_sprays"]?.value == 0)
            for number in 0..<3 { await clinic.guess("nobody\(number)@mail.example", from: "192.0.2.1") }
            #expect(clinic.host.host.gauges["polyclinic_password_sprays"]?.value == 1)
            #expect(try await clinic.sprays().isEmpty)
        }
    }
}

extension Clinic {
    fileprivate func guess(_ email: String, from address: String) async {
        let body = JSONObject([("email", .string(email)), ("password", .string("Winter2026 Winter2026"))])
        _ = await open("/v1/auth/login", body, from: address)
    }

    fileprivate func sprays() async throws -> [JSONObject] {
        try await host.audited().filter { $0["action"] == .string("notice_password_spraying") }
    }
}
