import Access
import Bootstrap
import JSON
import Loop
import Postgres
import Primitives
import TestSupport
import Testing

@testable import Clinical

/// Who may open which chart, and what is left of it in the trail.
@Suite struct ChartAccessTests {
    @Test func `Every read of a chart is in the trail before its answer, once, with reader, purpose and ground`() async throws {
        try await withClinical { host in
            let (id, _) = try await host.registered(allergies: ["Aspirin"])
            let visit = try await host.begun(id)
            let written = try await host.auditedReads().count
            #expect(written == 0)

            for path in ["/v1/patients/\(id)", "/v1/visits/\(visit)", "/v1/visits/\(visit)/notes", "/v1/patients/\(id)/visits"] {
                #expect(try await host.send("GET", path, as: .doctor).status == 200, "\(path)")
            }
            let reads = try await host.auditedReads()
            #expect(reads.map { $0["resource"] } == ["patient", "visit", "visit_notes", "visit_list"])
            #expect(reads.allSatisfy { $0["patientId"] == .string(id.description) })
            #expect(reads.allSatisfy { $0["actorId"] == .string(host.account(.doctor).description) })
            #expect(reads.allSatisfy { $0["purpose"] == "TREAT" && $0["after"] == ["ground": "care"] })
        }
    }

    @Test func `A list names in the trail who was on it`() async throws {
        try await withClinical { host in
            let (id, _) = try await host.registered("Lakshmi Ramanathan")
            #expect(try await host.found("lakshmi").count == 1)
            let entry = try #require(try await host.auditedReads().first)
            #expect(entry["action"] == "search" && entry["resource"] == "patient_list")
            #expect(entry["after"] == ["patients": [.string(id.description)]])
        }
    }

    @Test func `A change that changes nothing but answers the record is a read, and leaves one entry`() async throws {
        try await withClinical { host in
            let (id, registered) = try await host.registered()
            let visit = try await host.begun(id)
            let shown = try await host.send("GET", "/v1/visits/\(visit)", as: .doctor)
            for (path, etag, role) in [
                ("/v1/patients/\(id)", registered.etag, Role.reception), ("/v1/visits/\(visit)", shown.etag, .doctor),
            ] {
                let before = try await host.auditedReads().count
                let same = try await host.send(
                    "PATCH", path, body: JSONObject(), as: role, headers: [("If-Match", etag ?? "")])
                #expect(same.status == 200 && !same.bytes.isEmpty, "\(path)")
                let reads = try await host.auditedReads()
                #expect(reads.count == before + 1, "\(path)")
                #expect(reads.last?["patientId"] == .string(id.description) && reads.last?["action"] == "read")
            }
            // One that changes something leaves the entry of the change and no other.
            let reads = try await host.auditedReads().count
            let changes = try await host.audited().count
            let changed = try await host.send(
                "PATCH", "/v1/patients/\(id)", body: .body(("phone", .string("9820099999"))), as: .reception,
                headers: [("If-Match", registered.etag ?? "")])
            #expect(changed.status == 200)
            #expect(try await host.auditedReads().count == reads)
            #expect(try await host.audited().count == changes + 1)
        }
    }

    @Test func `An answer that is repeated is read again, and not by whom the chart was closed to meanwhile`() async throws {
        try await withClinical { host in
            let (id, _) = try await host.registered()
            let colleague = AccountID()
            let other = try await host.colleague(colleague)
            let body = JSONObject.body(("patientId", .string(id.description))).jsonBytes
            let key = [(name: "Idempotency-Key", value: "visit-1")]
            let first = await host.send("POST", "/v1/visits", bytes: body, bearer: other, headers: key)
            #expect(first.status == 201)
            let again = await host.send("POST", "/v1/visits", bytes: body, bearer: other, headers: key)
            #expect(again.bytes == first.bytes && again.header("Idempotent-Replayed") == "true")
            let read = try #require(try await host.auditedReads().last)
            #expect(read["resource"] == "visit" && read["patientId"] == .string(id.description))
            #expect(read["after"] == ["ground": "replay"])

            // Who broke a glass is answered about the patient for as long as it is broken.
            _ = try await host.send("PUT", "/v1/charts/policy", body: .body(("policy", .string("care"))), as: .admin)
            let path = "/v1/patients/\(id)/break-glass"
            let reason = JSONObject.body(("reason", .string("Unconscious in the emergency room"))).jsonBytes
            host.clock.advance(seconds: -7_200)
            let stranger = try host.token(.doctor, account: AccountID())
            let broken = await host.send("POST", path, bytes: reason, bearer: stranger, headers: key)
            #expect(broken.status == 201)
            let closed = await host.send("POST", path, bytes: reason, bearer: stranger, headers: key)
            #expect(closed.status == 403)
            let refusal = try #require(try await host.audited().last)
            #expect(refusal["allowed"] == false && refusal["patientId"] == .string(id.description))
        }
    }

    @Test func `A refusal is recorded with its patient, whatever words it is told in`() async throws {
        try await withClinical { host in
            let (id, _) = try await host.registered()
            let visit = try await host.begun(id)
            _ = try await host.send("PUT", "/v1/charts/policy", body: .body(("policy", .string("care"))), as: .admin)
            let other = try await host.colleague()
            let old = try host.token(.admin, authenticatedAgo: 7_200)
            let (stranger, _) = try await host.registered("Somebody Else", phone: "9820054321")
            let patient = try host.token(.patient, patient: stranger)
            let nobody = PatientID()

            func refused(
                _ method: String, _ path: String, _ body: JSONObject?, _ bearer: String, _ status: Int, of whose: PatientID?
            ) async throws {
                let before = try await host.audited().count
                let answer = await host.send(method, path, bytes: body?.jsonBytes ?? [], bearer: bearer)
                #expect(answer.status == status, "\(method) \(path): \(answer.status) \(answer.code ?? "")")
                let entries = try await host.audited().dropFirst(before)
                #expect(entries.count == 1 && entries.last?["allowed"] == false, "\(method) \(path)")
                #expect(entries.last?["patientId"] == whose.map { .string($0.description) }, "\(method) \(path)")
            }
            try await refused("GET", "/v1/visits/\(visit)", nil, other, 403, of: id)
            try await refused("GET", "/v1/visits/\(visit)", nil, patient, 404, of: id)
            try await refused("POST", "/v1/visits", .body(("patientId", .string("\(nobody)"))), other, 422, of: nobody)
            try await refused("PUT", "/v1/patients/\(id)/legal-hold", nil, old, 401, of: id)
            try await refused("GET", "/v1/patients/\(nobody)/consents", nil, patient, 404, of: nobody)
        }
    }

    @Test func `Opening a record without saying whose is no answer`() async throws {
        try await onLoop {
            let trail = ReadTrail()
            let (one, other) = (PatientID(), PatientID())
            trail.unseal(one)
            trail.unseal(other)
            trail.read("patient", one.description, of: one, on: "care")
            #expect(!trail.isWhole)
            trail.listed("patient_list", [other])
            #expect(trail.isWhole)
        }
    }

    @Test func `The desk is answered who a patient is, and nothing of health`() async throws {
        try await withClinical { host in
            let (id, created) = try await host.registered(allergies: ["Aspirin"])
            for role in [Role.reception, .cashier, .lab, .auditor] {
                let shown = try await host.send("GET", "/v1/patients/\(id)", as: role).json
                #expect(shown["name"] != nil && shown["allergies"] == nil && shown["conditions"] == nil, "\(role)")
            }
            let counter = try await host.send("GET", "/v1/patients/\(id)", as: .pharmacist).json
            #expect(counter["allergies"] != nil && counter["conditions"] == nil)
            let corrected = try await host.send(
                "PATCH", "/v1/patients/\(id)", body: .body(("phone", .string("9820099999"))), as: .reception,
                headers: [("If-Match", created.etag ?? "")])
            #expect(corrected.status == 200 && corrected.json["conditions"] == nil)
        }
    }

    @Test func `An auditor reads in the report of visits who saw whom and when, and nothing of health`() async throws {
        try await withClinical { host in
            let (id, _) = try await host.registered()
            let visit = try await host.begun(id)
            let found = JSONObject.body(
                ("chiefComplaint", .string("Fever")), ("treatmentPlan", .string("Rest")), ("symptomDays", .int(3)),
                ("vitals", .object(.body(("pulse", .int(72))))),
                ("diagnoses", .array([.object(.body(("code", .string("J03.9")), ("text", .string("Tonsillitis"))))])))
            let recorded = try await host.send(
                "PATCH", "/v1/visits/\(visit)", body: found, as: .doctor, headers: [("If-Match", "\"1\"")])
            #expect(recorded.status == 200)
            let note = JSONObject.body(("category", .string("SYMPTOM")), ("text", .string("Sore throat")))
            #expect(try await host.send("POST", "/v1/visits/\(visit)/notes", body: note, as: .nurse).status == 201)
            #expect(try await host.send("POST", "/v1/visits/\(visit)/complete", as: .doctor).status == 200)

            let shown = try await host.send("GET", "/v1/reports/visit-history", as: .auditor)
            let line = try #require(shown.items.first)
            let told: Set = [
                "id", "status", "patientId", "practitionerId", "locationId", "localDate", "startedAt", "completedAt", "mrn",
            ]
            #expect(Set(line.members.map(\.name)) == told)
            for role in [Role.doctor, .admin] {
                let whole = try #require(try await host.send("GET", "/v1/reports/visit-history", as: role).items.first)
                #expect(whole["chiefComplaint"] == "Fever" && whole["notes"] != nil && whole["vitals"] != nil, "\(role)")
            }
        }
    }

    @Test func `A patient or proxy who guesses an identifier learns nothing, and the guess is in the trail`() async throws {
        try await withClinical { host in
            let (own, _) = try await host.registered()
            let (other, _) = try await host.registered("Somebody Else", phone: "9820054321")
            for role in [Role.patient, .proxy] {
                let bearer = try host.token(role, patient: own)
                #expect(await host.send("GET", "/v1/patients/\(own)", bytes: [], bearer: bearer).status == 200)
                let theirs = await host.send("GET", "/internal/cards/patients/\(other)", bytes: [], bearer: bearer)
                let nobodys = await host.send("GET", "/internal/cards/patients/\(PatientID())", bytes: [], bearer: bearer)
                #expect(theirs.status == 404 && nobodys.status == 404)
            }
            let bearer = try host.token(.patient, patient: own)
            let theirs = await host.send("GET", "/v1/patients/\(other)", bytes: [], bearer: bearer).json
            let nobodys = await host.send("GET", "/v1/patients/\(PatientID())", bytes: [], bearer: bearer).json
            #expect(theirs["code"] == nobodys["code"] && theirs["detail"] == nobodys["detail"])
            let refused = try await host.audited().filter { $0["allowed"] == false && $0["action"] == "GET /v1/patients/:id" }
            #expect(refused.contains { $0["patientId"] == .string(other.description) && $0["purpose"] == "PATRQT" })
        }
    }

    @Test func `Whoever works here and is a patient too reads and exports no other chart`() async throws {
        try await withClinical { host in
            let (own, _) = try await host.registered()
            let (other, _) = try await host.registered("Somebody Else", phone: "9820054321", allergies: ["Aspirin"])
            let visit = try await host.begun(other)
            let bearers = [
                try host.token(.reception, .patient, patient: own), try host.token(.lab, .patient, patient: own),
                try host.token(.cashier, .proxy, patient: own), try host.token(.pharmacist, .patient, patient: own),
            ]
            for bearer in bearers {
                let read = await host.send("GET", "/v1/visits/\(visit)", bytes: [], bearer: bearer)
                #expect(read.status == 404)
                let notes = await host.send("GET", "/v1/visits/\(visit)/notes", bytes: [], bearer: bearer)
                #expect(notes.status == 404)
                let lines = await host.send("GET", "/v1/patients/\(other)/visits", bytes: [], bearer: bearer)
                #expect(lines.items.allSatisfy { $0["chiefComplaint"] == nil && $0["diagnoses"] == nil })
                let shown = await host.send("GET", "/v1/patients/\(other)", bytes: [], bearer: bearer)
                #expect(shown.status == 200 && shown.json["conditions"] == nil)
                let export = await host.send("GET", "/v1/patients/\(other)/export", bytes: [], bearer: bearer)
                #expect(export.status == 404 || export.status == 403)
                let part = await host.send("GET", "/internal/export/patients/\(other)", bytes: [], bearer: bearer)
                #expect(part.status == 404 || part.status == 403)
            }
            let allergies = try await host.send("GET", "/v1/patients/\(other)", as: .doctor).json["allergies"]
            #expect(allergies != nil, "there was something to hide")
        }
    }
}
