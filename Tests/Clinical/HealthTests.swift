import Access
import Bootstrap
import JSON
import Loop
import Primitives
import TestSupport
import Testing

@testable import Clinical

/// Allergies and conditions: recorded by those who treat, because prescriptions are checked against them.
@Suite struct HealthTests {
    private static func list(_ name: String, add: [JSONValue] = [], retire: [JSONValue] = []) -> JSONObject {
        .body((name, .object(.body(("add", .array(add)), ("retire", .array(retire))))))
    }

    private static let penicillin = JSONValue.object(.body(("text", .string("Penicillin"))))

    @LoopActor private static func record(
        _ host: TestHost, _ patient: PatientID, _ change: JSONObject, as role: Role = .doctor, version: Int = 1
    ) async throws -> TestHost.Answer {
        try await host.send(
            "PATCH", "/v1/patients/\(patient)/health", body: change, as: role, headers: [("If-Match", "\"\(version)\"")])
    }

    @Test func `The desk gives allergies when it registers somebody, and replaces none afterwards`() async throws {
        try await withClinical { host in
            let (patient, _) = try await host.registered(allergies: ["Penicillin"])
            for role in [Role.reception, .admin] {
                for body in [JSONObject.body(("allergies", .array([]))), .body(("conditions", .null), ("address", .string("Elsewhere")))] {
                    let refused = try await host.send(
                        "PATCH", "/v1/patients/\(patient)", body: body, as: role, headers: [("If-Match", "\"1\"")])
                    #expect((refused.status, refused.code) == (422, "health_recorded_elsewhere"), "\(role)")
                }
                let record = try await Self.record(host, patient, Self.list("allergies", retire: [Self.penicillin]), as: role)
                #expect(record.status == 403, "\(role)")
            }
            let corrected = try await host.send(
                "PATCH", "/v1/patients/\(patient)", body: .body(("address", .string("Elsewhere"))), as: .reception,
                headers: [("If-Match", "\"1\"")])
            #expect(corrected.status == 200)
            #expect(try await host.send("GET", "/v1/patients/\(patient)", as: .doctor).json["allergies"] == .array([Self.penicillin]))
        }
    }

    @Test func `Those who treat add and retire entries, and what they do not name stays`() async throws {
        try await withClinical { host in
            let (patient, _) = try await host.registered(allergies: ["Penicillin", "Dust"])
            let latex = JSONValue.object(.body(("text", .string("Latex")), ("atc", .string("V07AA"))))
            let added = try await Self.record(host, patient, Self.list("allergies", add: [latex, .string("Penicillin")]), as: .nurse)
            #expect(added.status == 200 && added.etag == "\"2\"")
            let changed = try await Self.record(
                host, patient,
                .body(
                    ("allergies", .object(.body(("retire", .array([.string("Dust")]))))),
                    ("conditions", .object(.body(("add", .array([.string("Asthma")])))))), version: 2)
            let coded = JSONValue.object(
                .body(("text", .string("Latex")), ("code", .string("V07AA")), ("system", .string(HealthFact.atcSystem))))
            #expect(changed.json["allergies"] == .array([Self.penicillin, coded]))
            #expect(changed.json["conditions"] == .array([.object(.body(("text", .string("Asthma"))))]))
            let entry = try #require(try await host.audited().last)
            #expect(entry["action"] == "update" && entry["patientId"] == .string(patient.description))
            #expect(entry["before"] == .object(.body(("version", .int(2)), ("active", .bool(true)))))
            #expect(
                entry["after"]
                    == .object(
                        .body(("version", .int(3)), ("active", .bool(true)), ("changed", .array(["allergies", "conditions"])))))
            #expect(try await host.announced().last { $0.type == "clinical.patient.changed.v1" } != nil)

            // What is there already changes nothing: it is a read.
            let reads = try await host.auditedReads().count
            let same = try await Self.record(host, patient, Self.list("allergies", add: [.string("Penicillin")]), version: 3)
            #expect(same.status == 200 && same.etag == "\"3\"")
            #expect(try await host.auditedReads().count == reads + 1)
        }
    }

    @Test func `What is not there, an old version and a chart that is closed are refused`() async throws {
        try await withClinical { host in
            let (patient, _) = try await host.registered(allergies: ["Penicillin"])
            _ = try await host.begun(patient)
            let retire = Self.list("allergies", retire: [Self.penicillin])
            let unknown = try await Self.record(host, patient, Self.list("allergies", retire: [.string("Pollen")]))
            #expect((unknown.status, unknown.code) == (422, "health_fact_unknown"))
            #expect(try await Self.record(host, patient, Self.list("allergies", add: [.int(1)])).status == 400)
            #expect(try await Self.record(host, patient, retire, version: 7).status == 412)
            let bare = try await host.send("PATCH", "/v1/patients/\(patient)/health", body: retire, as: .doctor)
            #expect(bare.status == 428)
            _ = try await host.send("PUT", "/v1/charts/policy", body: .body(("policy", .string("care"))), as: .admin)
            let stranger = await host.send(
                "PATCH", "/v1/patients/\(patient)/health", bytes: retire.jsonBytes, bearer: try host.token(.doctor, account: AccountID()),
                headers: [("If-Match", "\"1\"")])
            #expect((stranger.status, stranger.code) == (403, "chart_restricted"))
            #expect(try await Self.record(host, patient, retire).json["allergies"] == .array([]))
        }
    }

    @Test func `A list has an end, and an entry is retired once`() throws {
        var personal = Personal(name: "Meera Iyer", birthDate: LocalDate(daysSinceEpoch: 0))
        personal.allergies = (1...100).map { HealthFact(text: "\($0)") }
        let full = HealthChange(allergies: .init(added: [HealthFact(text: "one more")]))
        #expect(throws: HealthError.tooMany(pointer: "allergies/add")) { try personal.recording(full) }
        let turned = HealthChange(allergies: .init(added: [HealthFact(text: "one more")], retired: [HealthFact(text: "7")]))
        #expect(try personal.recording(turned).allergies.count == 100)
        let twice = HealthChange(allergies: .init(retired: [HealthFact(text: "7"), HealthFact(text: "7")]))
        #expect(throws: HealthError.unknown(pointer: "allergies/retire/1")) { try personal.recording(twice) }
    }
}
