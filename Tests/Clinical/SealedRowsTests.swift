import Access
import Bootstrap
import Contracts
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

    private static func text(_ answer: TestHost.Answer) -> String { text(answer.bytes) }
    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

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

    /// A visit with what has a code or a number: measured, found and prescribed.
    @LoopActor private static func treated(_ host: TestHost, name: String = "Meera Iyer") async throws -> (visit: VisitID, prescription: PrescriptionID) {
        let visit = try await host.begun(try await host.registered(name).id)
        let medicine = MedicineID()
        try await host.react(
            to: MedicineListed(
                medicineID: medicine, name: "Rosamox", genericName: "Amoxicillin", form: "capsule", strength: "500 mg", atc: "J01CA04",
                unitPrice: Money(100, .inr), taxBasisPoints: 1200, active: true))
        let vitals = JSONObject.body(("pulse", .int(137)), ("temperatureC", .double(38.65)), ("weightKg", .double(61.5)))
        let diagnosis = JSONObject.body(("code", .string("J03.9")), ("system", .string("ICD-10")), ("text", .string("Tonsillitis")))
        let recorded = try await host.send(
            "PATCH", "/v1/visits/\(visit)", body: .body(("vitals", .object(vitals)), ("diagnoses", .array([.object(diagnosis)]))), as: .doctor,
            headers: [("If-Match", "\"1\"")])
        #expect(recorded.status == 200)
        let issued = try await host.send("POST", "/v1/prescriptions", body: order(visit, medicine), as: .doctor)
        return (visit, try issued.json.required("id"))
    }

    private static func order(_ visit: VisitID, _ medicine: MedicineID) -> JSONObject {
        .body(
            ("visitId", .string(visit.description)),
            ("items", .array([
                .object(.body(
                    ("medicineId", .string(medicine.description)), ("dose", .double(4.321)), ("frequencyPerDay", .int(3)), ("durationDays", .int(7))))
            ])))
    }

    /// What the three tables hold, but for ids and times.
    @LoopActor private static func resting(_ host: TestHost) async throws -> [String] {
        try await host.host.db.reader(for: host.tenant).all(
            """
            select coalesce(value::text, '') || encode(sealed_value, 'escape') from visit_observation
            union all select (to_jsonb(d) - 'visit_id')::text from visit_diagnosis d
            union all select concat(name, generic_name, atc, dose, encode(sealed_medicine, 'escape')) from prescription_item
            """, as: { try $0.next(as: String.self) })
    }

    @Test func `No code, no measured value and no medicine rests in clear, and each reads as it was given`() async throws {
        try await withClinical { host in
            let (visit, prescription) = try await Self.treated(host)
            let rows = try await Self.resting(host)
            #expect(rows.count == 4, "three values and one item; diagnoses rest with their words")
            for said in ["137", "38.65", "61.5", "J03.9", "Rosamox", "Amoxicillin", "J01CA04", "4321"] {
                #expect(!rows.contains { $0.contains(said) }, "\(said)")
            }
            let read = try await host.send("GET", "/v1/visits/\(visit)", as: .doctor).json
            let vitals: JSONObject = try read.required("vitals")
            #expect(vitals["pulse"] == .int(137) || vitals["pulse"] == .double(137))
            #expect(vitals["temperatureC"] == .double(38.65))
            #expect(try read.required("diagnoses", as: [JSONObject].self).first?["code"] == .string("J03.9"))
            let item = try #require(
                try await host.send("GET", "/v1/prescriptions/\(prescription)", as: .pharmacist).json.required("items", as: [JSONObject].self).first)
            #expect(item["medicineName"] == .string("Rosamox") && item["genericName"] == .string("Amoxicillin") && item["dose"] == .double(4.321))

            // Measured again: what is other is sealed anew, what is taken back is gone, the rest stays.
            let again = JSONObject.body(("pulse", .int(96)), ("weightKg", .null))
            #expect(
                try await host.send(
                    "PATCH", "/v1/visits/\(visit)", body: .body(("vitals", .object(again))), as: .nurse, headers: [("If-Match", "\"2\"")]
                ).status == 200)
            let now: JSONObject = try await host.send("GET", "/v1/visits/\(visit)", as: .doctor).json.required("vitals")
            #expect(now["pulse"] == .int(96) || now["pulse"] == .double(96))
            #expect(now["temperatureC"] == .double(38.65) && now["weightKg"] == nil)
            #expect(try await Self.resting(host).count == 3)
        }
    }

    @Test func `What rested in clear is read, then sealed while the signed visit stays`() async throws {
        try await withClinical { host in
            let (visit, prescription) = try await Self.treated(host)
            #expect(try await host.send("POST", "/v1/visits/\(visit)/complete", as: .doctor).status == 200)
            try await Self.tamper(
                host, "visit_observation",
                "update visit_observation set value = case code when '8867-4' then 137 when '8310-5' then 38.65 else 61.5 end, sealed_value = null")
            try await Self.tamper(
                host, "prescription_item",
                "update prescription_item set name = 'Rosamox', generic_name = 'Amoxicillin', atc = 'J01CA04', dose = 4321, sealed_medicine = null")
            let paths = ["/v1/visits/\(visit)", "/v1/prescriptions/\(prescription)"]
            var before: [[UInt8]] = []
            for path in paths { before.append(try await host.send("GET", path, as: .doctor).bytes) }
            #expect(Self.text(before[0]).contains("38.65") && Self.text(before[1]).contains("Rosamox"))
            // Of a medicine that is taken now a second order is told, however the first one rests.
            let next = try await host.begun(try await host.send("GET", paths[0], as: .doctor).json.required("patientId"))
            let items: [JSONObject] = try await host.send("GET", paths[1], as: .doctor).json.required("items")
            let order = Self.order(next, try #require(items.first).required("medicineId"))
            #expect(try await host.send("POST", "/v1/prescriptions", body: order, as: .doctor).code == "safety_alert")

            try await SealWords(host: host.host, keys: TenantKeys(host: host.host)).sweep()
            let rows = try await Self.resting(host)
            #expect(rows.count == 4)
            for said in ["137", "38.65", "61.5", "Rosamox", "Amoxicillin", "J01CA04", "4321"] {
                #expect(!rows.contains { $0.contains(said) }, "\(said)")
            }
            for (path, bytes) in zip(paths, before) { #expect(try await host.send("GET", path, as: .doctor).bytes == bytes, "\(path)") }
            #expect(try await host.send("POST", "/v1/prescriptions", body: order, as: .doctor).code == "safety_alert")

            // What is sealed is not sealed again, and by no other way does anything of a signed visit change.
            for statement: SQL in [
                "select seal_observation(visit_id, code, 'x'::bytea) from visit_observation",
                "select seal_prescription_item(id, 'x'::bytea) from prescription_item",
            ] {
                try await host.host.db.transaction(for: host.tenant) { _ = try await $0.run(statement) }
            }
            for statement: SQL in [
                "update visit_observation set sealed_value = 'x'", "update visit_observation set unit = 'x'",
                "update prescription_item set sealed_medicine = 'x'",
            ] {
                await #expect(throws: PostgresError.self) {
                    try await host.host.db.transaction(for: host.tenant) { _ = try await $0.run(statement) }
                }
            }
            #expect(try await host.send("GET", paths[0], as: .doctor).bytes == before[0])
        }
    }

    @Test func `A value or a medicine that is moved to another row does not open`() async throws {
        let values = "update visit_observation a set sealed_value = b.sealed_value from visit_observation b where a.code <> b.code"
        let medicines = "update prescription_item a set sealed_medicine = b.sealed_medicine from prescription_item b where a.id <> b.id"
        for (table, swap, path) in [("visit_observation", values, "visits"), ("prescription_item", medicines, "prescriptions")] {
            try await withClinical { host in
                let first = try await Self.treated(host)
                _ = try await Self.treated(host, name: "Asha Rao")
                try await Self.tamper(host, table, swap)
                let id = path == "visits" ? first.visit.description : first.prescription.description
                #expect(try await host.send("GET", "/v1/\(path)/\(id)", as: .doctor).status == 500, "\(table)")
            }
        }
    }

    @Test func `The release before may still name a diagnosis's code, and nothing of it is kept`() async throws {
        try await withClinical { host in
            let visit = try await host.begun(try await host.registered().id)
            try await host.host.db.transaction(for: host.tenant) {
                _ = try await $0.run("insert into visit_diagnosis (visit_id, position, system, code) values (\(visit), 0, 'ICD-10', 'J03.9')")
            }
            #expect(try await Self.resting(host).isEmpty)
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
