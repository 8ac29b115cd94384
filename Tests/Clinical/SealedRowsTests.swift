import Access
import Bootstrap
import JSON
import Loop
import Postgres
import Primitives
import TestSupport
import Testing

@testable import Clinical

/// Sealed values that somebody with the database moved about: each opens in its own place and nowhere else.
@Suite struct SealedRowsTests {
    /// Runs as the owner, for whom row-level security of `table` is put aside.
    @LoopActor private static func tamper(_ host: TestHost, _ table: String, _ statement: String) async throws {
        try await host.database.asOwner(
            """
            alter table \(table) no force row level security; alter table \(table) disable trigger user;
            \(statement);
            alter table \(table) enable trigger user; alter table \(table) force row level security
            """)
    }

    private static func text(_ answer: TestHost.Answer) -> String { String(decoding: answer.bytes, as: UTF8.self) }

    @Test func `What is one patient's opens for no other, whole or with the other's nonce`() async throws {
        for swapped in ["a.personal", "substr(b.personal, 1, 1) || substr(a.personal, 2, 12) || substr(b.personal, 14)"] {
            try await withClinical { host in
                let (first, _) = try await host.registered("Firstname Alone", phone: "9820012345")
                let (second, _) = try await host.registered("Secondname Alone", phone: "9820054321")
                try await Self.tamper(
                    host, "patient", "update patient b set personal = \(swapped) from patient a where a.id = '\(first)' and b.id = '\(second)'")
                let answer = try await host.send("GET", "/v1/patients/\(second)", as: .admin)
                #expect(answer.status == 500, "\(swapped)")
                #expect(!Self.text(answer).contains("name Alone"))
                #expect(Self.text(try await host.send("GET", "/v1/patients/\(first)", as: .admin)).contains("Firstname Alone"))
            }
        }
    }

    @Test func `What stands in one column or row opens in no other of the same patient`() async throws {
        for statement in [
            "update visit_note set body = (select findings from visit where visit.id = visit_note.visit_id) where id = '%2'",
            "update visit_note set body = (select body from visit_note other where other.id = '%1') where id = '%2'",
        ] {
            try await withClinical { host in
                let (patient, _) = try await host.registered()
                let visit = try await host.begun(patient)
                var notes: [String] = []
                for words in ["Coughs at night", "Sleeps by day"] {
                    let body = JSONObject.body(("category", .string("SYMPTOM")), ("text", .string(words)))
                    let made = try await host.send("POST", "/v1/visits/\(visit)/notes", body: body, as: .doctor)
                    notes.append(try made.json.required("id"))
                }
                var moved = statement
                for (number, note) in notes.enumerated() { moved.replace("%\(number + 1)", with: note) }
                try await host.database.asOwner("alter table visit no force row level security")
                try await Self.tamper(host, "visit_note", moved)
                try await host.database.asOwner("alter table visit force row level security")
                let answer = try await host.send("GET", "/v1/visits/\(visit)/notes", as: .doctor)
                #expect(answer.status == 500, "\(statement)")
                #expect(!Self.text(answer).contains("Coughs"))
            }
        }
    }

    @Test func `A key that the database lost seals nothing more, though it is remembered`() async throws {
        try await withClinical { host in
            _ = try await host.registered("Before Failover")
            try await Self.tamper(host, "tenant_key", "delete from tenant_key")
            let tables = host.host.db.reader(for: host.tenant)
            var last: PatientID?
            // What was read a moment ago still counts for a second.
            let deadline = ContinuousClock.now + .seconds(20)
            while try await tables.first("select count(*) from tenant_key", as: { try $0.next(as: Int.self) }) == 0 {
                try #require(ContinuousClock.now < deadline)
                last = try await host.registered("After Failover", phone: "9820054321").id
            }
            // As another process reads it, which remembers nothing.
            let ring = try #require(try await TenantKeys(host: host.host).existing(host.tenant))
            let scope = PatientScope.system(host.tenant)
            let row = try await PatientStore(sql: tables, scope: scope).find(try #require(last))
            let personal = try #require(try row?.open(ring, scope))
            #expect(String(decoding: personal, as: UTF8.self).contains("After Failover"))
        }
    }
}
