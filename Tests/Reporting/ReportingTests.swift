import Bootstrap
import Loop
import Postgres
import Primitives
import TestSupport
import Testing

@testable import Reporting

@Suite struct DailyStoreTests {
    private static let day = LocalDate(daysSinceEpoch: 20_000)

    @Test func `A day on which nothing happened is a summary of zeros`() async throws {
        try await onLoop {
            try await TestDatabase.with(ReportingService.migrations) { test in
                let summary = try await DailyStore(sql: test.db.reader(for: test.tenant)).find(Self.day)
                #expect(summary.count(.visitsCompleted) == 0)
                #expect(summary.sum(in: .inr, refunds: false) == Money(0, .inr))
            }
        }
    }

    @Test func `Facts that arrive at once are all counted, money by its way`() async throws {
        try await onLoop {
            try await TestDatabase.with(ReportingService.migrations) { test in
                let additions = (0..<20).map { turn in
                    EventLoop.spawn {
                        try await test.db.transaction(for: test.tenant) { tx in
                            let store = DailyStore(sql: tx)
                            let way = turn % 2 == 0 ? "CASH" : DailySummary.refund
                            try await store.add([Self.day: turn], to: .itemsDispensed)
                            try await store.add([.init(amount: Money(100, .inr), method: way, date: Self.day)])
                        }
                    }
                }
                for addition in additions { try await addition.value }
                let summary = try await DailyStore(sql: test.db.reader(for: test.tenant)).find(Self.day)
                #expect(summary.count(.itemsDispensed) == 190)
                #expect(summary.takings.map(\.count) == [10, 10])
                #expect(summary.sum(in: .inr, refunds: false) == Money(1_000, .inr))
                #expect(summary.sum(in: .inr, refunds: true) == Money(1_000, .inr))
                let stranger = try await DailyStore(sql: test.db.reader(for: TenantID())).find(Self.day)
                #expect(stranger.count(.itemsDispensed) == 0)
            }
        }
    }

    @Test func `A patient with two visits was seen once`() async throws {
        try await onLoop {
            try await TestDatabase.with(ReportingService.migrations) { test in
                let patient = PatientID()
                let seen = try await test.db.transaction(for: test.tenant) { tx in
                    let store = DailyStore(sql: tx)
                    return [
                        try await store.see([(patient, Self.day), (patient, Self.day)]),
                        try await store.see([(patient, Self.day.adding(days: 1)), (patient, Self.day)]),
                    ]
                }
                #expect(seen == [[Self.day], [Self.day.adding(days: 1)]])
            }
        }
    }
}

@Suite struct AuditStoreTests {
    @Test func `The trail is read newest first, page by page, and by what is asked`() async throws {
        try await onLoop {
            try await TestDatabase.with(ReportingService.migrations) { test in
                let actor = AccountID()
                var entries = (0..<5).map { AuditEntry.sample(at: Int64($0 / 2), actor: $0 == 3 ? actor : AccountID()) }
                try await test.db.transaction(for: test.tenant) { tx in
                    try await AuditStore(sql: tx).append(entries)
                    // The same facts again: one with itself, one beside what is new.
                    let fresh = AuditEntry.sample(at: 9, actor: AccountID())
                    try await AuditStore(sql: tx).append([entries[0], entries[0], fresh, entries[1], fresh])
                    try await AuditStore(sql: tx).append([])
                    entries.append(fresh)
                }
                let store = AuditStore(sql: test.db.reader(for: test.tenant))
                let all = try await store.page(AuditFilter(), before: nil, limit: 10)
                #expect(all.map(\.id) == entries.sorted { ($0.at, $0.id) > ($1.at, $1.id) }.map(\.id))
                let rest = try await store.page(AuditFilter(), before: (all[1].at, all[1].id), limit: 10)
                #expect(rest.map(\.id) == all.dropFirst(2).map(\.id))
                #expect(try await store.page(AuditFilter(actor: actor), before: nil, limit: 10).map(\.id) == [entries[3].id])
                #expect(try await store.page(AuditFilter(action: "book"), before: nil, limit: 10).isEmpty)
                #expect(all.first?.after == #"{"status": "PAID"}"#)
            }
        }
    }

    @Test func `Nobody can change or delete an entry`() async throws {
        try await onLoop {
            try await TestDatabase.with(ReportingService.migrations) { test in
                try await test.db.transaction(for: test.tenant) {
                    try await AuditStore(sql: $0).append([.sample(at: 0, actor: AccountID())])
                }
                for statement: SQL in ["update audit_entry set action = 'x'", "delete from audit_entry", "truncate audit_entry"] {
                    await #expect(throws: PostgresError.self) {
                        try await test.db.transaction(for: test.tenant) { _ = try await $0.run(statement) }
                    }
                }
            }
        }
    }
}

extension AuditEntry {
    static func sample(at: Int64, actor: AccountID, id: EventID = EventID(), service: String = "billing") -> AuditEntry {
        AuditEntry(
            id: id, at: Timestamp(microseconds: at), actor: actor, role: "reception", service: service,
            action: "pay", resource: "invoice", resourceID: "i", allowed: true, before: nil,
            after: #"{"status":"PAID"}"#, trace: "0", patient: nil, purpose: nil)
    }
}
