import Access
import Bootstrap
import JSON
import Loop
import Messaging
import Postgres
import Primitives
import TestSupport
import Testing

@testable import Reporting

/// What services counted out, and what the trail has of it.
@Suite struct AuditCountTests {
    /// The verifier gives what is on its way ten minutes; here they pass at once.
    private static let later =
        """
        alter table audit_facts_sent no force row level security; alter table audit_facts_sent disable trigger user;
        update audit_facts_sent set received_at = received_at - interval '11 minutes';
        alter table audit_facts_sent enable trigger user; alter table audit_facts_sent force row level security
        """

    @LoopActor private static func gaps(_ test: TestHost) async throws -> [AuditCount.Gap] {
        try await AuditCount(sql: test.host.db.reader(for: test.tenant)).gaps()
    }

    @Test func `An entry that left a service and never came is named, and one that came is not`() async throws {
        try await onReporting { test in
            let entries = (0..<3).map { AuditEntry.sample(at: $0, actor: AccountID()) }
            try await test.host.db.transaction(for: test.tenant) { try await AuditStore(sql: $0).append(entries) }
            let lost = EventID()
            try await test.react(to: AuditFactsSent(service: "clinical", number: 1, ids: entries.map(\.id)))
            try await test.react(to: AuditFactsSent(service: "clinical", number: 2, ids: [entries[0].id, lost]))
            #expect(try await Self.gaps(test) == [])  // It may be on its way.
            try await test.database.asOwner(Self.later)
            #expect(try await Self.gaps(test) == [.lost(service: "clinical", id: lost)])
            let watch = ChainWatch(host: test.host, keys: KeySet([]), folder: nil, tick: .seconds(60))
            try await watch.verifyAll()
            #expect(test.host.gauges["polyclinic_audit_facts_lacking"]?.value == 1)
            #expect(test.host.gauges["polyclinic_audit_chains_broken"]?.value == 0)
            let entry = try #require(try await test.audited().last)
            #expect(entry["action"] == "find_lacking")
            #expect(try await VerifyAudit(host: test.host, keys: KeySet([])).run([]) == 1)
            // When it comes after all, nothing is lacking.
            let late = AuditEntry.sample(at: 9, actor: AccountID(), id: lost)
            try await test.host.db.transaction(for: test.tenant) { try await AuditStore(sql: $0).append([late]) }
            #expect(try await Self.gaps(test) == [])
            #expect(try await VerifyAudit(host: test.host, keys: KeySet([])).run([]) == 0)
        }
    }

    @Test func `A count that was kept back is named as soon as a later one is there, of each service by itself`() async throws {
        try await onReporting { test in
            for number in [2, 3, 7] as [Int64] { try await test.react(to: AuditFactsSent(service: "billing", number: number, ids: [])) }
            try await test.react(to: AuditFactsSent(service: "queue", number: 1, ids: []))
            #expect(try await Self.gaps(test) == [])
            try await test.database.asOwner(Self.later)
            #expect(try await Self.gaps(test) == [.untold(service: "billing", from: 1, to: 1), .untold(service: "billing", from: 4, to: 6)])
        }
    }

    @Test func `A service that records and has stopped counting is named`() async throws {
        try await onReporting { test in
            let sent = AuditFactsSent(service: "pharmacy", number: 1, ids: [])
            try await test.react(to: sent)
            try await test.database.asOwner(
                """
                alter table audit_facts_sent no force row level security; alter table audit_facts_sent disable trigger user;
                update audit_facts_sent set at = now() - interval '5 hours';
                alter table audit_facts_sent enable trigger user; alter table audit_facts_sent force row level security
                """)
            #expect(try await Self.gaps(test) == [])
            let threeHoursAgo = Timestamp.now().microseconds - 3 * 3_600_000_000
            try await test.host.db.transaction(for: test.tenant) {
                try await AuditStore(sql: $0).append([.sample(at: threeHoursAgo, actor: AccountID(), service: "pharmacy")])
            }
            let found = try await Self.gaps(test)
            guard case .silent("pharmacy", _)? = found.first, found.count == 1 else {
                Issue.record("\(found)")
                return
            }
        }
    }

    @Test func `What was counted is not altered by anybody`() async throws {
        try await onReporting { test in
            try await test.react(to: AuditFactsSent(service: "billing", number: 1, ids: []))
            for statement in ["update audit_facts_sent set number = 2", "delete from audit_facts_sent", "truncate audit_facts_sent"] {
                await #expect(throws: PostgresError.self, "\(statement)") {
                    try await test.database.asOwner(
                        "begin; set local app.tenant = '\(test.tenant)'; \(statement); commit")
                }
            }
        }
    }
}
