import Access
import Bootstrap
import HTTP
import Contracts
import JSON
import Loop
import Postgres
import Primitives
import TestSupport
import Testing

@testable import Clinical

@Suite struct VisitRoutesTests {
    @Test func `A visit is recorded, signed, and then final for everybody`() async throws {
        try await withClinical { host in
            let (patient, _) = try await host.registered()
            let id = try await host.begun(patient)
            let path = "/v1/visits/\(id)"
            let vitals = JSONObject.body(
                ("systolic", .int(128)), ("diastolic", .int(84)), ("temperatureC", .double(38.4)),
                ("weightKg", .double(61.5)), ("heightCm", .int(162)))
            let recorded = try await host.send(
                "PATCH", path,
                body: .body(
                    ("vitals", .object(vitals)), ("chiefComplaint", .string("Fever")), ("symptomDays", .int(3)),
                    ("diagnoses", .array([.object(.body(("code", .string("J03.9")), ("text", .string("Tonsillitis"))))]))),
                as: .doctor, headers: [("If-Match", "\"1\"")])
            #expect(recorded.status == 200 && recorded.etag == "\"2\"")
            let read = try await host.send("GET", path, as: .nurse)
            let kept: JSONObject = try read.json.required("vitals")
            #expect(kept["systolic"] == .int(128) || kept["systolic"] == .double(128))
            #expect(kept["temperatureC"] == .double(38.4) && kept["bmi"] == .double(23.4))
            #expect(try await host.send("POST", path + "/addenda", body: .body(("text", .string("x"))), as: .doctor).code == "visit_not_signed")
            #expect(
                try await host.send(
                    "POST", path + "/notes", body: .body(("category", .string("SYMPTOM")), ("text", .string("Sore throat"))),
                    as: .nurse
                ).status == 201)

            let completed = try await host.send("POST", path + "/complete", as: .doctor)
            #expect(completed.status == 200)
            #expect(try completed.json.required("status", as: String.self) == "completed")
            for (method, end, body) in [
                ("PATCH", "", JSONObject.body(("treatmentPlan", .string("x")))), ("POST", "/complete", JSONObject()),
                ("POST", "/notes", .body(("category", .string("SYMPTOM")), ("text", .string("x")))),
            ] {
                let late = try await host.send(method, path + end, body: body, as: .doctor, headers: [("If-Match", "\"3\"")])
                #expect(late.status == 409 && late.code == "visit_signed", "\(method) \(end)")
            }
            #expect(try await host.send("POST", path + "/addenda", body: .body(("text", .string("Culture positive"))), as: .doctor).status == 201)
            let addenda = try await host.send("GET", path, as: .doctor).json.required("addenda", as: [JSONObject].self)
            #expect(addenda.count == 1)

            let report = try await host.send("GET", "/v1/reports/visit-history?patientId=\(patient)", as: .admin)
            #expect(try report.items.first?.required("chiefComplaint", as: String.self) == "Fever")
            #expect(try report.items.first?.required("notes", as: [JSONObject].self).count == 1)
            #expect(try await host.announced().map(\.type).suffix(2) == ["clinical.visit.started.v1", "clinical.visit.completed.v1"])
        }
    }

    @Test func `SQL itself refuses to change what was signed`() async throws {
        try await withClinical { host in
            let (patient, _) = try await host.registered()
            let id = try await host.begun(patient)
            #expect(try await host.send("POST", "/v1/visits/\(id)/complete", as: .doctor).status == 200)
            for statement: SQL in [
                "update visit set status = 'in_progress', completed_at = null where id = \(id)",
                "update visit_snapshot set body = '' where visit_id = \(id)",
                "delete from visit_snapshot where visit_id = \(id)",
                "delete from visit where id = \(id)",
                "insert into visit_observation (visit_id, code, sealed_value, unit, recorded_by) values (\(id), 'x', 'x', 'x', \(AccountID()))",
                "insert into visit_note (id, visit_id, category, author_id, written_at, body) values (\(VisitID()), \(id), 'SYMPTOM', \(AccountID()), now(), '')",
                "delete from visit_note",
            ] {
                await #expect(throws: PostgresError.self) {
                    try await host.host.db.transaction(for: host.tenant) { tx in _ = try await tx.run(statement) }
                }
            }
        }
    }

    @Test func `A patient is in one open visit at a site at a time`() async throws {
        try await withClinical { host in
            let (patient, _) = try await host.registered()
            let id = try await host.begun(patient)
            let body = JSONObject.body(("patientId", .string(patient.description)))
            let second = try await host.send("POST", "/v1/visits", body: body, as: .doctor)
            #expect(second.status == 409 && second.code == "visit_open")
            _ = try await host.send("POST", "/v1/visits/\(id)/complete", as: .doctor)
            #expect(try await host.send("POST", "/v1/visits", body: body, as: .doctor).status == 201)
        }
    }

    @Test func `A token must be known and of this patient`() async throws {
        try await withClinical { host in
            let (patient, _) = try await host.registered()
            let token = TokenID()
            let body = JSONObject.body(
                ("patientId", .string(patient.description)), ("tokenId", .string(token.description)))
            #expect(try await host.send("POST", "/v1/visits", body: body, as: .doctor).code == "token_unknown")
            host.cards["queue", "/internal/cards/tokens/\(token)"] = .body(
                ("tokenId", .string(token.description)), ("patientId", .string(PatientID().description)))
            #expect(try await host.send("POST", "/v1/visits", body: body, as: .doctor).code == "token_mismatch")
            host.cards["queue", "/internal/cards/tokens/\(token)"] = .body(
                ("tokenId", .string(token.description)), ("patientId", .string(patient.description)))
            let started = try await host.send("POST", "/v1/visits", body: body, as: .doctor)
            #expect(started.status == 201)
            let card = try await host.send("GET", "/internal/cards/visits/\(started.json.required("id", as: VisitID.self))", as: .reception)
            #expect(try card.json.required("tokenId", as: TokenID.self) == token)
            #expect(card.json["prescriptions"] == .array([]))
        }
    }

    @Test func `Who has no licence begins, signs and adds to nothing; what was begun is kept for another doctor to sign`() async throws {
        try await withClinical { host in
            let doctor = host.account(.doctor)
            let (patient, _) = try await host.registered()
            let signed = try await host.begun(patient)
            #expect(try await host.send("POST", "/v1/visits/\(signed)/complete", as: .doctor).status == 200)
            let open = try await host.begun(patient)
            try await host.react(to: LicenceWithdrawn(accountID: doctor), revision: 2)
            host.license(doctor, until: "2020-01-01")

            let text = JSONObject.body(("text", .string("Culture positive")))
            let newcomer = try await host.registered("Ravi Menon", phone: "9820012399").id
            let refused = [
                try await host.send("POST", "/v1/visits", body: .body(("patientId", .string("\(newcomer)"))), as: .doctor),
                try await host.send("POST", "/v1/visits/\(open)/complete", as: .doctor),
                try await host.send("POST", "/v1/visits/\(signed)/addenda", body: text, as: .doctor),
            ]
            #expect(refused.map(\.code) == ["practitioner_unlicensed", "practitioner_unlicensed", "practitioner_unlicensed"])
            #expect(refused.map(\.status) == [422, 422, 422])

            // What was seen is not lost.
            let note = JSONObject.body(("category", .string("OBSERVATION")), ("text", .string("Rash on both arms")))
            #expect(try await host.send("POST", "/v1/visits/\(open)/notes", body: note, as: .doctor).status == 201)
            let plan = JSONObject.body(("treatmentPlan", .string("Rest")))
            let kept = try await host.send("PATCH", "/v1/visits/\(open)", body: plan, as: .doctor, headers: [("If-Match", "\"1\"")])
            #expect(kept.status == 200)

            let colleague = AccountID()
            try await host.react(to: LicenceVerified(accountID: colleague, validUntil: LocalDate(daysSinceEpoch: 80_000)))
            let bearer = try host.token(.doctor, account: colleague)
            let done = await host.send("POST", "/v1/visits/\(open)/complete", bytes: [], bearer: bearer)
            #expect(done.status == 200 && done.json["practitionerId"] == .string("\(colleague)"))
            #expect(done.json["treatmentPlan"] == .string("Rest"))
        }
    }

    @Test func `A nurse begins a visit without a licence`() async throws {
        try await withClinical { host in
            let patient = try await host.registered().id
            let begun = try await host.send("POST", "/v1/visits", body: .body(("patientId", .string("\(patient)"))), as: .nurse)
            #expect(begun.status == 201)
        }
    }

    @Test func `A nurse records vitals and nothing else, and vitals have bounds`() async throws {
        try await withClinical { host in
            let id = try await host.begun(try await host.registered().id)
            let path = "/v1/visits/\(id)"
            let tag = [(name: "If-Match", value: "\"1\"")]
            let pulse = JSONObject.body(("vitals", .object(.body(("pulse", .int(72))))))
            let plan = JSONObject.body(("treatmentPlan", .string("x")))
            #expect(try await host.send("PATCH", path, body: plan, as: .nurse, headers: tag).code == "forbidden")
            #expect(try await host.send("PATCH", path, body: pulse, as: .nurse, headers: tag).status == 200)
            let wild = JSONObject.body(("vitals", .object(.body(("pulse", .int(900)), ("spo2", .int(5))))))
            let refused = try await host.send("PATCH", path, body: wild, as: .doctor, headers: tag)
            #expect(refused.status == 400)
            #expect(refused.pointers == ["/vitals/pulse", "/vitals/spo2"])
        }
    }

    @Test func `The desk sees that a patient was here, not why`() async throws {
        try await withClinical { host in
            let (patient, _) = try await host.registered()
            let id = try await host.begun(patient)
            _ = try await host.send(
                "PATCH", "/v1/visits/\(id)", body: .body(("chiefComplaint", .string("Fever"))), as: .doctor,
                headers: [("If-Match", "\"1\"")])
            let desk = try await host.send("GET", "/v1/patients/\(patient)/visits", as: .reception)
            #expect(desk.items.count == 1 && desk.items.first?["chiefComplaint"] == nil)
            let doctor = try await host.send("GET", "/v1/patients/\(patient)/visits", as: .doctor)
            #expect(doctor.items.first?["chiefComplaint"] == .string("Fever"))
            #expect(try await host.send("GET", "/v1/visits/\(id)", as: .reception).status == 403)
        }
    }
}
