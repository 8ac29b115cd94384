import Access
import Bootstrap
import JSON
import Loop
import Postgres
import Primitives
import TestSupport
import Testing

@testable import Reporting

/// Names beside the ids of the trail, for those who may read it.
@Suite struct StaffNamesTests {
    @Test func `Whoever reads the trail reads what staff are called, and the trail keeps none of it`() async throws {
        try await onReporting { test in
            let cashier = AccountID()
            let stranger = AccountID()
            let patient = PatientID()
            let entries = [cashier, stranger].map { actor in
                AuditEntry(
                    id: EventID(), at: Timestamp.now(), actor: actor, role: "cashier", service: "billing", action: "create", resource: "patient",
                    resourceID: patient.description, allowed: true, before: nil, after: nil, trace: "0", patient: patient, purpose: nil)
            }
            try await test.host.db.transaction(for: test.tenant) { try await AuditStore(sql: $0).append(entries) }
            test.cards["auth", "/internal/names/accounts"] = JSONObject([(cashier.description, .string("Mary Till"))])
            let page = try await test.send("GET", "/v1/reports/audit-logs?service=billing", as: .auditor)
            @LoopActor func named(_ answer: TestHost.Answer, _ member: String) throws -> [String?] {
                try answer.items.map { try $0.optional(member) }
            }
            #expect(Set(try named(page, "actorName").compactMap { $0 }) == ["Mary Till"])
            let log = try await test.send("GET", "/v1/patients/\(patient)/access-log", as: .admin)
            #expect(Set(try named(log, "name").compactMap { $0 }) == ["Mary Till"])
            // The patient is told roles, and of nobody but practitioners a name.
            let own = await test.send(
                "GET", "/v1/patients/\(patient)/access-log", bytes: [],
                bearer: try test.token(.patient, account: AccountID(), patient: patient))
            let told = try named(own, "name")
            #expect(own.status == 200 && told == [nil, nil])
            let kept = try await test.host.db.reader(for: test.tenant).all(
                "select e::text from audit_entry e", as: { try $0.next(as: String.self) })
            #expect(kept.allSatisfy { !$0.contains("Mary") })
            // Auth away: the trail is read all the same.
            test.cards.isDown = true
            let without = try await test.send("GET", "/v1/reports/audit-logs?service=billing", as: .auditor)
            #expect(without.status == 200 && without.items.count == 2)
        }
    }
}
