import Access
import JSON
import Loop
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
}
