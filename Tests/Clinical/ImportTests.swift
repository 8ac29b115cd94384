import Access
import Bootstrap
import Glibc
import JSON
import Loop
import Primitives
import TestSupport
import Testing

@testable import Clinical

@Suite struct ImportTests {
    private static let bundle = """
        {"resourceType":"Bundle","entry":[
        {"resource":{"resourceType":"Patient","id":"p-1","name":[{"use":"official","family":"Montañez","given":["Clara","María"]}],
         "gender":"female","birthDate":"1971-03-02","telecom":[{"system":"phone","value":"555-748-4970"}],
         "address":[{"line":["1 Main St"],"city":"Boston","country":"US"}]}},
        {"resource":{"resourceType":"AllergyIntolerance","code":{"text":"Allergy to penicillin","coding":[{"system":"http://snomed.info/sct","code":"91936005"}]}}},
        {"resource":{"resourceType":"Encounter","id":"e-1","status":"finished","type":[{"text":"Check up"}],
         "period":{"start":"1999-06-07T23:37:54+00:00","end":"1999-06-07T23:52:54+00:00"}}},
        {"resource":{"resourceType":"Condition","code":{"text":"Hypertension","coding":[{"system":"http://snomed.info/sct","code":"59621000"}]},
         "clinicalStatus":{"coding":[{"code":"active"}]},"encounter":{"reference":"urn:uuid:e-1"}}},
        {"resource":{"resourceType":"Observation","encounter":{"reference":"urn:uuid:e-1"},"code":{"coding":[{"code":"55284-4"}]},
         "component":[{"code":{"coding":[{"code":"8480-6"}]},"valueQuantity":{"value":139.6}},
                      {"code":{"coding":[{"code":"8462-4"}]},"valueQuantity":{"value":80.2}}]}}
        ]}
        """

    @Test func `A person and a history are read out of a bundle`() throws {
        let read = try FHIRBundle(bytes: Array(Self.bundle.utf8))
        #expect(read.personal.name == "Clara María Montañez")
        #expect(read.personal.phone == "+15557484970")
        #expect(read.personal.conditions.map(\.text) == ["Hypertension"])
        let encounter = try #require(read.encounters.first)
        #expect(encounter.vitals[.systolic] == 140 && encounter.vitals[.diastolic] == 80)
        #expect(encounter.findings.diagnoses.map(\.code) == ["59621000"])
    }

    @Test func `What is there and empty is not there: nobody is imported without a name`() throws {
        func read(_ old: String, _ new: String) throws -> FHIRBundle {
            try FHIRBundle(bytes: Array(Self.bundle.replacing(old, with: new).utf8))
        }
        let name = #""family":"Montañez","given":["Clara","María"]"#
        for nobody in [#""family":"""#, #""family":" ","given":["","  "]"#, #""given":[]"#] {
            #expect(throws: FHIRBundle.Failure.noPatient) { try read(name, nobody) }
        }
        #expect(try read(name, #""family":"Montañez","given":[""]"#).personal.name == "Montañez")
        #expect(try read(#""text":"Allergy to penicillin""#, #""text":" ""#).personal.allergies.isEmpty)
    }

    @Test func `Importing twice changes nothing, and the patient is found with the history`() async throws {
        let path = "/tmp/clinical-import-\(getpid()).json"
        let file = try #require(fopen(path, "w"))
        fputs(Self.bundle, file)
        fclose(file)
        defer { unlink(path) }
        try await withClinical { host in
            let command = try #require(host.service.commands.first { $0.name == "import" })
            let order = ["--tenant", host.tenant.description, "--location", host.location.description]
            for _ in 1...2 { #expect(try await command.run([path] + order) == 0) }
            let patients = try await host.send("GET", "/v1/patients?search=Clara%20Montanes", as: .doctor)
            #expect(patients.items.count == 1)
            let id: PatientID = try #require(patients.items.first).required("id")
            let visits = try await host.send("GET", "/v1/patients/\(id)/visits", as: .doctor)
            #expect(visits.items.count == 1)
            #expect(try visits.items.first?.required("status", as: String.self) == "completed")
            #expect(try await host.announced().map(\.type) == ["clinical.patient.registered.v1"])
            #expect(try await command.run(["/nowhere", "--tenant", host.tenant.description]) == 1)
            #expect(try await command.run([path]) == 2)
        }
    }
}
