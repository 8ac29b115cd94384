import Access
import Bootstrap
import JSON
import Loop
import Messaging
import Postgres
import Primitives
import TestSupport
import Testing

@testable import Clinical

/// What a record said before it was changed, and who changed it.
@Suite struct VersionTests {
    private static let penicillin = JSONValue.object(.body(("text", .string("Penicillin"))))

    /// A patient whose allergy to penicillin a nurse has retired.
    @LoopActor private static func retired(_ host: TestHost) async throws -> PatientID {
        let (patient, _) = try await host.registered(allergies: ["Penicillin"])
        let answer = try await host.send(
            "PATCH", "/v1/patients/\(patient)/health",
            body: .body(("allergies", .object(.body(("retire", .array([Self.penicillin])))))), as: .nurse,
            headers: [("If-Match", "\"1\"")])
        #expect(answer.status == 200)
        return patient
    }

    @Test func `Who removed the allergy, when, and what it said is told to those who treat, and the reading is in the trail`() async throws {
        try await withClinical { host in
            let patient = try await Self.retired(host)
            let path = "/v1/patients/\(patient)/versions"
            let shown = try await host.send("GET", path, as: .doctor)
            let version = try #require(shown.items.first)
            #expect(shown.items.count == 1 && version["version"] == .int(1) && version["changed"] == ["allergies"])
            #expect(version["replacedBy"] == .string(host.account(.nurse).description) && version["replacedAt"] != nil)
            let record: JSONObject = try version.required("record")
            #expect(record["allergies"] == .array([Self.penicillin]) && record["name"] == "Meera Iyer" && record["active"] == true)
            let read = try #require(try await host.auditedReads().last)
            #expect(read["resource"] == "patient_versions" && read["patientId"] == .string(patient.description))
            // The entry of the change names the version that is kept.
            let change = try #require(try await host.audited().last { $0["action"] == "update" })
            #expect(try change.required("before", as: JSONObject.self)["version"] == version["version"])

            #expect(await host.send("GET", path, bytes: [], bearer: try host.token(.patient, patient: patient)).items.count == 1)
            for role in [Role.reception, .pharmacist, .auditor] {
                #expect(try await host.send("GET", path, as: role).status == 403, "\(role)")
            }
            let (other, _) = try await host.registered("Somebody Else", phone: "9820054321")
            #expect(await host.send("GET", path, bytes: [], bearer: try host.token(.patient, patient: other)).status == 404)
            _ = try await host.send("PUT", "/v1/charts/policy", body: .body(("policy", .string("care"))), as: .admin)
            let stranger = await host.send("GET", path, bytes: [], bearer: try host.token(.doctor, account: AccountID()))
            #expect((stranger.status, stranger.code) == (403, "chart_restricted"))
        }
    }

    @Test func `Every change keeps what was there, one that changes nothing keeps nothing, and pages go back in time`() async throws {
        try await withClinical { host in
            let patient = try await Self.retired(host)
            for (version, phone) in [(2, "9820099999"), (3, "9820099999"), (3, "9820088888")] {
                let changed = try await host.send(
                    "PATCH", "/v1/patients/\(patient)", body: .body(("phone", .string(phone))), as: .reception,
                    headers: [("If-Match", "\"\(version)\"")])
                #expect(changed.status == 200)
            }
            #expect(try await host.send("DELETE", "/v1/patients/\(patient)", as: .reception).status == 204)
            let first = try await host.send("GET", "/v1/patients/\(patient)/versions?limit=3", as: .admin)
            #expect(first.items.map { $0["version"] } == [.int(4), .int(3), .int(2)])
            #expect(first.items.map { $0["changed"] } == [["active"], ["phone"], ["phone"]])
            let phones = try first.items.map { try $0.required("record", as: JSONObject.self)["phone"] }
            #expect(phones == ["+919820088888", "+919820099999", "+919820012345"])
            let next: String = try first.json.required("nextCursor")
            let rest = try await host.send("GET", "/v1/patients/\(patient)/versions?limit=3&cursor=\(next)", as: .admin)
            #expect(rest.items.map { $0["version"] } == [.int(1)] && rest.json["nextCursor"] == nil)
        }
    }

    @Test func `A visit keeps what was measured and found before it was recorded otherwise`() async throws {
        try await withClinical { host in
            let (patient, _) = try await host.registered()
            let visit = try await host.begun(patient)
            let changes: [JSONObject] = [
                .body(("chiefComplaint", .string("Fever")), ("vitals", .object(.body(("pulse", .int(72)))))),
                .body(
                    ("vitals", .object(.body(("pulse", .null)))),
                    ("diagnoses", .array([.object(.body(("code", .string("J03.9")), ("text", .string("Tonsillitis"))))]))),
                .body(("diagnoses", .array([]))), .body(("chiefComplaint", .string("Fever"))),
            ]
            for (index, change) in changes.enumerated() {
                let recorded = try await host.send(
                    "PATCH", "/v1/visits/\(visit)", body: change, as: .doctor, headers: [("If-Match", "\"\(index + 1)\"")])
                #expect(recorded.status == 200)
            }
            #expect(try await host.send("POST", "/v1/visits/\(visit)/complete", as: .doctor).status == 200)
            let shown = try await host.send("GET", "/v1/visits/\(visit)/versions", as: .nurse)
            #expect(shown.items.map { $0["version"] } == [.int(3), .int(2), .int(1)])
            #expect(shown.items.map { $0["changed"] } == [["diagnoses"], ["diagnoses", "vitals"], ["chiefComplaint", "vitals"]])
            let records = try shown.items.map { try $0.required("record", as: JSONObject.self) }
            #expect(try records[0].required("diagnoses", as: [JSONObject].self).first?["text"] == "Tonsillitis")
            #expect(try records[1].required("vitals", as: JSONObject.self)["pulse"] == .int(72))
            #expect(records[2]["chiefComplaint"] == nil)
            #expect(try await host.auditedReads().last?["resource"] == "visit_versions")
        }
    }

    @Test func `Nobody changes a version, it opens in its own row only, and is nothing without the patient's key`() async throws {
        try await withClinical { host in
            let patient = try await Self.retired(host)
            for statement in ["update patient_version set replaced_by = patient_id", "delete from patient_version"] {
                let error = await #expect(throws: PostgresError.self) {
                    try await host.host.transaction(for: host.tenant, as: .system(host.tenant)) { tx in _ = try await tx.run("\(unsafe: statement)") }
                }
                #expect(error?.sqlState == "42501", "\(statement)")
            }
            let path = "/v1/patients/\(patient)/versions"
            try await host.database.asOwner(
                """
                alter table patient_version no force row level security; update patient_version set version = 7;
                alter table patient_version force row level security
                """)
            #expect(try await host.send("GET", path, as: .doctor).status == 500)
            try await host.database.asOwner(
                "alter table data_key no force row level security; delete from data_key; alter table data_key force row level security")
            #expect(try await host.send("GET", path, as: .doctor).status == 404)
        }
    }

    @Test func `An export has every version of the record and of its visits`() async throws {
        try await withClinical { host in
            let patient = try await Self.retired(host)
            let visit = try await host.begun(patient)
            let recorded = try await host.send(
                "PATCH", "/v1/visits/\(visit)", body: .body(("chiefComplaint", .string("Fever"))), as: .doctor,
                headers: [("If-Match", "\"1\"")])
            #expect(recorded.status == 200)
            for service in ExportRoutes.others { host.cards[service, "/internal/export/patients/\(patient)"] = JSONObject() }
            let export = await host.send(
                "GET", "/v1/patients/\(patient)/export", bytes: [], bearer: try host.token(.patient, patient: patient)).json
            let clinical: JSONObject = try export.required("services", as: JSONObject.self).required("clinical")
            let versions: [JSONObject] = try clinical.required("versions")
            #expect(try versions.map { try $0.required("record", as: JSONObject.self)["allergies"] } == [.array([Self.penicillin])])
            let visits: [JSONObject] = try clinical.required("visits")
            #expect(try visits.map { try $0.required("versions", as: [JSONObject].self).count } == [1])
        }
    }
}
