import Access
import Bootstrap
import JSON
import Loop
import Postgres
import Primitives
import TestSupport
import Testing

@testable import Clinical

/// When a record may go, and when it goes.
@Suite struct ErasureTests {
    private static let days365: Int64 = 365 * 86_400

    @LoopActor private static func erase(
        _ patient: PatientID, on ground: String = "patient_request", _ host: TestHost
    ) async throws -> TestHost.Answer {
        try await host.send(
            "POST", "/v1/patients/\(patient)/erasure", body: .body(("ground", .string(ground))), as: .admin)
    }

    @LoopActor private static func keep(years: Int64, _ host: TestHost) async throws {
        #expect(try await host.send("PUT", "/v1/retention", body: .body(("years", .int(years))), as: .admin).status == 200)
    }

    /// A patient who was seen today.
    @LoopActor private static func seen(_ host: TestHost) async throws -> PatientID {
        let (patient, _) = try await host.registered()
        try await see(patient, host)
        return patient
    }

    @LoopActor private static func see(_ patient: PatientID, _ host: TestHost) async throws {
        let visit = try await host.begun(patient)
        #expect(try await host.send("POST", "/v1/visits/\(visit)/complete", as: .doctor).status == 200)
    }

    @LoopActor private static func isThere(_ patient: PatientID, _ host: TestHost) async throws -> Bool {
        try await host.send("GET", "/v1/patients/\(patient)", as: .admin).status == 200
    }

    @LoopActor private static func notBefore(_ patient: PatientID, _ host: TestHost) async throws -> LocalDate? {
        try await host.host.db.reader(for: host.tenant).first(
            "select not_before from erasure where patient_id = \(patient) and done_at is null", as: { try $0.next() })
    }

    @Test func `A record with a visit was not registered in error, whatever an administrator says`() async throws {
        try await withClinical { host in
            let patient = try await Self.seen(host)
            let refused = try await Self.erase(patient, on: "registered_in_error", host)
            #expect((refused.status, refused.code) == (409, "patient_seen"))
            #expect(try await Self.isThere(patient, host))
            // Not even as a request that a sweep would find.
            #expect(try await Self.notBefore(patient, host) == nil)
            let (mistake, _) = try await host.registered("Nobody", phone: "9820054321")
            #expect(try await Self.erase(mistake, on: "registered_in_error", host).status == 200)
            #expect(try await !Self.isThere(mistake, host))
        }
    }

    @Test func `An export tells who opened the chart and why, who may, and that it is held and to be erased`() async throws {
        try await withClinical { host in
            try await Self.keep(years: 1, host)
            let patient = try await Self.seen(host)
            #expect(try await Self.erase(patient, host).status == 202)
            #expect(try await host.send("PUT", "/v1/patients/\(patient)/legal-hold", as: .admin).status == 204)
            let policy = JSONObject.body(("policy", .string("care")))
            #expect(try await host.send("PUT", "/v1/charts/policy", body: policy, as: .admin).status == 200)
            let other = try host.token(.doctor, account: AccountID())
            let reason = JSONObject.body(("reason", .string("Unconscious in the emergency room")))
            let broken = await host.send("POST", "/v1/patients/\(patient)/break-glass", bytes: reason.jsonBytes, bearer: other)
            #expect(broken.status == 201)
            // One service that does not answer: half an export would look whole.
            #expect(try await host.send("GET", "/v1/patients/\(patient)/export", as: .admin).status == 503)
            for service in ExportRoutes.others {
                host.cards[service, "/internal/export/patients/\(patient)"] = ["from": .string(service)]
            }
            let export = try await host.send("GET", "/v1/patients/\(patient)/export", as: .admin)
            #expect(export.status == 200)
            let services: JSONObject = try export.json.required("services")
            let clinical: JSONObject = try services.required("clinical")
            let glass: [JSONObject] = try clinical.required("brokenGlass")
            #expect(glass.map { $0["reason"] } == [.string("Unconscious in the emergency room")])
            #expect(try clinical.required("care_relation", as: [JSONObject].self).isEmpty == false)
            let erasure: [JSONObject] = try clinical.required("erasure")
            #expect(erasure.map { $0["ground"] } == [.string("patient_request")])
            #expect(try clinical.required("legal_hold", as: JSONObject.self)["by"] == .string("\(host.account(.admin))"))
            #expect(try services.required("billing", as: JSONObject.self)["from"] == .string("billing"))
        }
    }

    @Test func `Whoever acts for a patient exports that record, after a fresh proof, and no other`() async throws {
        try await withClinical { host in
            let (child, _) = try await host.registered("Little One")
            let (other, _) = try await host.registered("Somebody Else", phone: "9820054321")
            for service in ExportRoutes.others { host.cards[service, "/internal/export/patients/\(child)"] = ["from": .string(service)] }
            let parent = AccountID()
            let fresh = try host.token(.proxy, account: parent, actsFor: [child])
            let export = await host.send("GET", "/v1/patients/\(child)/export", bytes: [], bearer: fresh)
            #expect(export.status == 200 && export.json["patientId"] == .string("\(child)"))
            for path in ["/v1/patients/\(other)/export", "/internal/export/patients/\(other)"] {
                #expect(await host.send("GET", path, bytes: [], bearer: fresh).status == 404, "\(path)")
            }
            let stale = try host.token(.proxy, account: parent, authenticatedAgo: 86_400, actsFor: [child])
            let refused = await host.send("GET", "/v1/patients/\(child)/export", bytes: [], bearer: stale)
            #expect((refused.status, refused.code) == (401, "insufficient_user_authentication"))
            // Somebody who acted for the child until yesterday.
            let over = try host.token(.proxy, account: parent)
            #expect(await host.send("GET", "/v1/patients/\(child)/export", bytes: [], bearer: over).status == 404)
        }
    }

    @Test func `No answer that was kept for a repetition tells of a person who was erased`() async throws {
        try await withClinical { host in
            func key(_ text: String) -> [(name: String, value: String)] { [("Idempotency-Key", text)] }
            try await Self.keep(years: 0, host)
            let person = JSONObject.body(
                ("name", .string("Meera Iyer")), ("birthDate", .string("1988-04-12")), ("phone", .string("9820012345")))
            let made = try await host.send("POST", "/v1/patients", body: person, as: .reception, headers: key("p"))
            let patient: PatientID = try made.json.required("id")
            let visit = try await host.begun(patient)
            let note = JSONObject.body(("category", .string("SYMPTOM")), ("text", .string("Coughs at night")))
            let path = "/v1/visits/\(visit)/notes"
            #expect(try await host.send("POST", path, body: note, as: .doctor, headers: key("n")).status == 201)
            let other = JSONObject.body(
                ("name", .string("Somebody Else")), ("birthDate", .string("1988-04-12")), ("phone", .string("9820054321")))
            #expect(try await host.send("POST", "/v1/patients", body: other, as: .reception, headers: key("o")).status == 201)
            #expect(try await host.send("POST", "/v1/visits/\(visit)/complete", as: .doctor).status == 200)
            let ground = JSONObject.body(("ground", .string("patient_request")))
            let erasure = "/v1/patients/\(patient)/erasure"
            #expect(try await host.send("POST", erasure, body: ground, as: .admin, headers: key("e")).status == 200)

            let patients = try await host.send("POST", "/v1/patients", body: person, as: .reception, headers: key("p"))
            #expect((patients.status, patients.code) == (409, "answer_gone"))
            let notes = try await host.send("POST", path, body: note, as: .doctor, headers: key("n"))
            #expect((notes.status, notes.code) == (409, "answer_gone"))
            // Nobody else's, and the erasure's own tells nothing.
            #expect(try await host.send("POST", "/v1/patients", body: other, as: .reception, headers: key("o")).status == 201)
            #expect(try await host.send("POST", erasure, body: ground, as: .admin, headers: key("e")).status == 200)
        }
    }

    @Test func `The sweep erases on the day that was promised`() async throws {
        try await withClinical { host in
            try await Self.keep(years: 1, host)
            let patient = try await Self.seen(host)
            #expect(try await Self.erase(patient, host).status == 202)
            let sweeping = ErasePatients(host: host.host)
            try await sweeping.sweep()
            #expect(try await Self.isThere(patient, host))
            host.clock.advance(seconds: Self.days365 + 2 * 86_400)
            try await sweeping.sweep()
            #expect(try await !Self.isThere(patient, host))
            #expect(try await host.announced().last?.type == "clinical.patient.erased.v1")
        }
    }

    @Test func `A visit after the request keeps the record for the years after that visit`() async throws {
        try await withClinical { host in
            try await Self.keep(years: 1, host)
            let patient = try await Self.seen(host)
            #expect(try await Self.erase(patient, host).status == 202)
            let promised = try #require(try await Self.notBefore(patient, host))
            host.clock.advance(seconds: Self.days365 - 86_400)
            try await Self.see(patient, host)
            host.clock.advance(seconds: 4 * 86_400)
            let sweeping = ErasePatients(host: host.host)
            try await sweeping.sweep()
            #expect(try await Self.isThere(patient, host))
            let now = try #require(try await Self.notBefore(patient, host))
            #expect(now > promised.adding(days: 360))
            host.clock.advance(seconds: Self.days365)
            try await sweeping.sweep()
            #expect(try await !Self.isThere(patient, host))
        }
    }

    @Test func `Years that were added after the request count, and so do years that were taken away`() async throws {
        try await withClinical { host in
            try await Self.keep(years: 1, host)
            let patient = try await Self.seen(host)
            #expect(try await Self.erase(patient, host).status == 202)
            try await Self.keep(years: 10, host)
            host.clock.advance(seconds: Self.days365 + 2 * 86_400)
            try await ErasePatients(host: host.host).sweep()
            #expect(try await Self.isThere(patient, host))
            try await Self.keep(years: 1, host)
            #expect(try await Self.erase(patient, host).status == 200)
            #expect(try await !Self.isThere(patient, host))
        }
    }
}
