import Access
import Bootstrap
import Contracts
import JSON
import Loop
import Primitives
import TestSupport
import Testing

@testable import Scheduling

struct LicenceTests {
    @Test func `Nothing is bookable before a licence was seen, nor after its last day`() async throws {
        try await onLoop {
            try await TestHost.with(SchedulingConfig.init(environment:), SchedulingService.describe) { test in
                let doctor = test.account(.doctor)
                // The licence may be heard of before the account.
                let today = (Zone("Asia/Kolkata") ?? .utc).localDate(of: test.clock.now)
                try await test.react(to: created(doctor, at: test.location))
                let provider = try #require(try await listed(test).first)
                #expect(provider["licensed"] == .bool(false))
                #expect(try await open(provider, from: today.adding(days: 1), test).code == "provider_unlicensed")

                try await test.react(to: LicenceVerified(accountID: doctor, validUntil: today.adding(days: 5)), revision: 2)
                #expect(try await open(provider, from: today.adding(days: 6), test).code == "provider_unlicensed")
                #expect(try await open(provider, from: today.adding(days: 4), test).status == 201)
                #expect(try await free(today.adding(days: 5), test) > 0)
                #expect(try await free(today.adding(days: 6), test) == 0)

                // What is older than what we know says nothing.
                try await test.react(to: LicenceWithdrawn(accountID: doctor), revision: 1)
                #expect(try await free(today.adding(days: 5), test) > 0)
                try await test.react(to: LicenceWithdrawn(accountID: doctor), revision: 3)
                #expect(try await free(today.adding(days: 5), test) == 0)
            }
        }
    }

    @Test func `A licence that was heard of first counts once the doctor is`() async throws {
        try await onLoop {
            try await TestHost.with(SchedulingConfig.init(environment:), SchedulingService.describe) { test in
                let doctor = test.account(.doctor)
                try await test.react(to: LicenceVerified(accountID: doctor, validUntil: date("2199-12-31")))
                #expect(try await listed(test).isEmpty)
                try await test.react(to: created(doctor, at: test.location))
                #expect(try await listed(test).first?["licensed"] == .bool(true))
            }
        }
    }

    @Test func `Leaving is announced once, and coming back too`() async throws {
        try await onLoop {
            try await TestHost.with(SchedulingConfig.init(environment:), SchedulingService.describe) { test in
                let doctor = test.account(.doctor)
                try await test.react(to: created(doctor, at: test.location))
                try await test.react(to: AccountDeactivated(accountID: doctor, at: test.clock.now), revision: 2)
                try await test.react(to: AccountDeactivated(accountID: doctor, at: test.clock.now), revision: 2)
                try await test.react(to: AccountReactivated(accountID: doctor, at: test.clock.now), revision: 3)
                let facts = try await test.announced().map(\.type)
                #expect(facts == ["scheduling.provider.listed.v1", "scheduling.provider.retired.v1", "scheduling.provider.listed.v1"])
            }
        }
    }

    @LoopActor private func created(_ account: AccountID, at location: LocationID) -> AccountCreated {
        AccountCreated(
            accountID: account, roles: ["doctor"], locationID: location, zone: "Asia/Kolkata",
            professionalName: "Dr. Asha Rao", patientID: nil)
    }

    @LoopActor private func listed(_ test: TestHost) async throws -> [JSONObject] {
        try await test.send("GET", "/v1/providers", as: .reception).items
    }

    @LoopActor private func open(_ provider: JSONObject, from day: LocalDate, _ test: TestHost) async throws -> TestHost.Answer {
        let body = JSONObject([
            ("providerId", provider["id"] ?? .null), ("from", .string("\(day)")), ("to", .string("\(day.adding(days: 2))")),
            ("start", .string("09:00")), ("end", .string("10:00")), ("slotMinutes", .int(30)),
        ])
        return try await test.send("POST", "/v1/slots/bulk", body: body, as: .admin)
    }

    @LoopActor private func free(_ day: LocalDate, _ test: TestHost) async throws -> Int {
        try await test.send("GET", "/v1/slots?date=\(day)&status=free", as: .reception).items.count
    }
}
