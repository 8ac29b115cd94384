import Access
import Bootstrap
import JSON
import Loop
import Postgres
import Primitives
import TestSupport
import Testing

@testable import Clinical

/// What somebody agreed to, and what is held back without it.
@Suite struct ConsentTests {
    @LoopActor private static func agree(_ patient: PatientID, to purpose: String, _ host: TestHost) async throws -> String {
        let body = JSONObject.body(("purpose", .string(purpose)), ("document", .string("leaflet")), ("documentVersion", .string("1")))
        let given = try await host.send("POST", "/v1/patients/\(patient)/consents", body: body, as: .reception)
        #expect(given.status == 201, "\(purpose)")
        return given.status == 201 ? try given.json.required("id") : ""
    }

    @LoopActor private static func withdraw(_ consent: String, of patient: PatientID, _ host: TestHost) async throws {
        #expect(try await host.send("DELETE", "/v1/patients/\(patient)/consents/\(consent)", as: .reception).status == 204)
    }

    @Test func `A purpose that holds nothing back here is refused, not recorded without effect`() async throws {
        try await withClinical { host in
            let (patient, _) = try await host.registered()
            for purpose in ConsentRoutes.Purpose.allCases {
                let body = JSONObject.body(
                    ("purpose", .string(purpose.rawValue)), ("document", .string("leaflet")), ("documentVersion", .string("1")))
                let answer = try await host.send("POST", "/v1/patients/\(patient)/consents", body: body, as: .reception)
                #expect(answer.status == (ConsentRoutes.Purpose.binding.contains(purpose) ? 201 : 400), "\(purpose)")
            }
        }
    }

    @Test func `Another's application sees, for staff or for itself, only who agreed to sharing, and no more once they take it back`() async throws {
        try await withClinical { host in
            let (patient, _) = try await host.registered()
            let visit = try await host.begun(patient)
            let grant = Grant(client: "other-hospital", scopes: [.clinicalRead, .clinicalWrite], services: ["clinical"])
            let doctor = try host.token(.doctor, grant: grant)
            let machine = try host.token(.reception, account: AccountID(), grant: grant)
            let paths = ["/v1/patients/\(patient)", "/v1/visits/\(visit)", "/v1/visits/\(visit)/notes", "/v1/patients/\(patient)/visits"]
            func seen() async throws -> [Int] {
                var statuses: [Int] = []
                for path in paths { statuses.append(await host.send("GET", path, bytes: [], bearer: doctor).status) }
                statuses.append(await host.send("GET", "/v1/patients/\(patient)", bytes: [], bearer: machine).status)
                return statuses
            }
            func listed() async throws -> Int {
                let all = await host.send("GET", "/v1/patients", bytes: [], bearer: machine)
                let found = await host.send("GET", "/v1/patients?search=meera", bytes: [], bearer: machine)
                #expect(all.items.count == found.items.count)
                return all.items.count
            }
            #expect(try await seen().allSatisfy { $0 == 403 || $0 == 404 })
            #expect(try await listed() == 0)
            // The clinic's own application, the doctor in the suite's own pages, and the patient's own application, need no such word.
            #expect(try await host.send("GET", "/v1/visits/\(visit)", as: .doctor).status == 200)
            let portal = Grant(client: "our-portal", scopes: [.clinicalRead], services: ["clinical"], isOwn: true)
            #expect(await host.send("GET", paths[1], bytes: [], bearer: try host.token(.doctor, grant: portal)).status == 200)
            let own = try host.token(.patient, account: AccountID(), patient: patient, grant: grant)
            #expect(await host.send("GET", "/v1/patients/\(patient)", bytes: [], bearer: own).status == 200)

            let consent = try await Self.agree(patient, to: "sharing", host)
            #expect(try await seen() == [200, 200, 200, 200, 200])
            #expect(try await listed() == 1)
            try await Self.withdraw(consent, of: patient, host)
            #expect(try await seen().allSatisfy { $0 == 403 || $0 == 404 })
            #expect(try await listed() == 0)
        }
    }

    @Test func `No application of another's exports a record, whatever it was granted`() async throws {
        try await withClinical { host in
            let (patient, _) = try await host.registered()
            let grant = Grant(client: "other-hospital", scopes: Set(Scope.allCases), services: ["clinical"])
            let bearer = try host.token(.patient, account: AccountID(), patient: patient, grant: grant)
            #expect(await host.send("GET", "/v1/patients/\(patient)/export", bytes: [], bearer: bearer).status == 403)
        }
    }

    @Test func `A video consultation is not begun without the patient's consent as it stands then`() async throws {
        try await withClinical { host in
            let (patient, _) = try await host.registered()
            let appointment = AppointmentID()
            host.cards["scheduling", "/internal/cards/appointments/\(appointment)"] = JSONObject([
                ("appointmentId", .string("\(appointment)")), ("patientId", .string("\(patient)")), ("modality", .string("telemedicine")),
            ])
            func begin() async throws -> TestHost.Answer {
                try await host.send(
                    "POST", "/v1/visits",
                    body: .body(("patientId", .string("\(patient)")), ("appointmentId", .string("\(appointment)"))), as: .doctor)
            }
            let consent = try await Self.agree(patient, to: "teleconsultation", host)
            try await Self.withdraw(consent, of: patient, host)
            let refused = try await begin()
            #expect((refused.status, refused.code) == (422, "consent_missing"))
            _ = try await Self.agree(patient, to: "teleconsultation", host)
            // What scheduling is told when it asks.
            let card = try await host.send("GET", "/internal/cards/patients/\(patient)", as: .reception)
            #expect(card.json["consents"] == .array([.string("teleconsultation")]))
            #expect(try await begin().status == 201)
        }
    }
}
