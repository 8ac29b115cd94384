import Loop
import Postgres
import Primitives
import TestSupport
import Testing

@testable import Scheduling

@Suite struct ProviderStoreTests {
    @LoopActor private struct Office {
        let test: TestDatabase
        let account = AccountID()
        let location = LocationID()

        func roles(_ isDoctor: Bool, revision: Int) async throws -> Practitioner? {
            try await test.db.transaction(for: test.tenant) { tx in
                try await CardStore(sql: tx).remember(
                    account, isDoctor: isDoctor, at: location, zone: "Asia/Kolkata", name: "Dr. Rao",
                    revision: revision)
                if try await ProviderStore(sql: tx).retire(account) != nil { return nil }
                return try await ProviderStore(sql: tx).project(account, newID: ProviderID())
            }
        }

        func active(_ isActive: Bool, revision: Int) async throws -> Practitioner? {
            try await test.db.transaction(for: test.tenant) { tx in
                try await CardStore(sql: tx).remember(account, active: isActive, revision: revision)
                if try await ProviderStore(sql: tx).retire(account) != nil { return nil }
                return try await ProviderStore(sql: tx).project(account, newID: ProviderID())
            }
        }

        func listed() async throws -> Practitioner? {
            try await ProviderStore(sql: test.db.reader(for: test.tenant)).find(account: account)
        }
    }

    private func withOffice(_ body: sending @escaping @LoopActor (Office) async throws -> Void) async throws {
        try await onLoop {
            try await TestDatabase.with(SchedulingService.migrations) { try await body(Office(test: $0)) }
        }
    }

    @Test func `A doctor's account is listed once, under one id`() async throws {
        try await withOffice { office in
            let first = try await office.roles(true, revision: 1)
            #expect(first?.isActive == true)
            let again = try await office.roles(true, revision: 1)
            #expect(again == nil)
            let listed = try await office.listed()?.id
            #expect(listed == first?.id)
        }
    }

    @Test func `Who is no doctor is not listed`() async throws {
        try await withOffice { office in
            let projected = try await office.roles(false, revision: 1)
            #expect(projected == nil)
            let listed = try await office.listed()
            #expect(listed == nil)
        }
    }

    @Test func `Losing the role or the account retires, getting it back reinstates the same practitioner`()
        async throws
    {
        try await withOffice { office in
            let first = try await office.roles(true, revision: 1)
            _ = try await office.active(false, revision: 2)
            let retired = try await office.listed()?.isActive
            #expect(retired == false)
            _ = try await office.active(true, revision: 3)
            let reinstated = try await office.listed()?.isActive
            #expect(reinstated == true)
            _ = try await office.roles(false, revision: 4)
            let retiredAgain = try await office.listed()?.isActive
            #expect(retiredAgain == false)
            let again = try await office.roles(true, revision: 5)
            #expect(again?.id == first?.id)
            #expect(again?.isActive == true)
        }
    }

    @Test func `An event that comes late changes nothing`() async throws {
        try await withOffice { office in
            // Deactivated before the creation is known: the account is never bookable.
            _ = try await office.active(false, revision: 2)
            let projected = try await office.roles(true, revision: 1)
            #expect(projected == nil)
            let listed = try await office.listed()
            #expect(listed == nil)
            _ = try await office.active(true, revision: 3)
            let late = try await office.listed()?.isActive
            #expect(late == true)
            _ = try await office.active(false, revision: 2)
            let still = try await office.listed()?.isActive
            #expect(still == true)
        }
    }
}
