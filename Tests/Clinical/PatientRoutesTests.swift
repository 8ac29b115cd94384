import Access
import Bootstrap
import JSON
import Loop
import Postgres
import Primitives
import TestSupport
import Testing

@testable import Clinical

@Suite struct PatientRoutesTests {
    @Test func `A registered patient is read back whole, by one statement, and found in every way`() async throws {
        try await withClinical { host in
            let (id, created) = try await host.registered("Lakshmi Ramanathan", phone: "+91 98200 12345", allergies: ["Aspirin"])
            #expect(created.status == 201)
            #expect(try created.json.required("mrn", as: String.self) == "MRN-000001")

            let shown = try await host.send("GET", "/v1/patients/\(id)", as: .doctor)
            #expect(shown.status == 200 && shown.etag == "\"1\"")
            // The desk that wrote the allergies down is not answered them.
            #expect(created.json["allergies"] == nil && created.json["conditions"] == nil)
            #expect(shown.json["name"] == created.json["name"] && shown.json["allergies"] != nil)
            for typed in ["Laxmi Ramnathan", "lakshmi", "Ramanat", "Ramanathan Lakshmi", "9820012345", "mrn-1", "+919820012345"] {
                #expect(try await host.found(typed) == ["Lakshmi Ramanathan"], "\(typed)")
            }
            #expect(try await host.found("Suresh Pillai") == [])
            #expect(try await host.announced().map(\.type) == ["clinical.patient.registered.v1"])
            #expect(try await host.audited().count == 1)
        }
    }

    @Test func `Nothing personal is in clear in the database`() async throws {
        try await withClinical { host in
            _ = try await host.registered("Lakshmi Ramanathan")
            let clear = try await host.host.db.transaction(for: host.tenant) { tx in
                try await tx.first(
                    """
                    select count(*) from patient p
                    where p::text ilike '%lakshmi%' or position('Lakshmi'::bytea in p.personal) > 0
                    """,
                    as: { try $0.next(as: Int.self) })
            }
            #expect(clear == 0)
        }
    }

    @Test func `A corrected name is found, the old one is not`() async throws {
        try await withClinical { host in
            let (id, _) = try await host.registered("Fatima Sheikh")
            let path = "/v1/patients/\(id)"
            let patch = JSONObject.body(("name", .string("Zubeida Qureshi")))
            #expect(try await host.send("PATCH", path, body: patch, as: .reception).status == 428)
            #expect(
                try await host.send("PATCH", path, body: patch, as: .reception, headers: [("If-Match", "\"7\"")]).status == 412)
            let changed = try await host.send("PATCH", path, body: patch, as: .reception, headers: [("If-Match", "\"1\"")])
            #expect(changed.status == 200 && changed.etag == "\"2\"")
            #expect(try await host.found("Zubeda Kureshi") == ["Zubeida Qureshi"])
            #expect(try await host.found("Fatima Sheikh") == [])
            let fields: [String] = try #require(try await host.announced().last).data.required("fields")
            #expect(fields == ["name"])
        }
    }

    @Test func `Closing a record keeps it, once`() async throws {
        try await withClinical { host in
            let (id, _) = try await host.registered()
            for _ in 1...2 { #expect(try await host.send("DELETE", "/v1/patients/\(id)", as: .reception).status == 204) }
            let shown = try await host.send("GET", "/v1/patients/\(id)", as: .doctor)
            #expect(try shown.json.required("active", as: Bool.self) == false)
            #expect(try await host.announced().filter { $0.type == "clinical.patient.inactivated.v1" }.count == 1)
            let visit = try await host.send(
                "POST", "/v1/visits", body: .body(("patientId", .string(id.description))), as: .doctor)
            #expect(visit.status == 422 && visit.code == "patient_inactive")
        }
    }

    @Test func `Every wrong field is refused at once`() async throws {
        try await withClinical { host in
            let answer = try await host.send(
                "POST", "/v1/patients",
                body: .body(("name", .string(" ")), ("birthDate", .string("2199-01-01")), ("phone", .string("12"))),
                as: .reception)
            #expect(answer.status == 400 && answer.code == "invalid_request")
            #expect(answer.pointers == ["/name", "/birthDate", "/phone"])
        }
    }

    @Test func `A patient knows of the own record only, another tenant of none`() async throws {
        try await withClinical { host in
            let (own, _) = try await host.registered("Meera Iyer")
            let (other, _) = try await host.registered("Arjun Rao", phone: "9820012346")
            let token = try host.token(.patient, patient: own)
            #expect(await host.send("GET", "/v1/patients/\(own)", bytes: [], bearer: token).status == 200)
            #expect(await host.send("GET", "/v1/patients/\(other)", bytes: [], bearer: token).status == 404)
            #expect(await host.send("GET", "/v1/patients/\(other)/visits", bytes: [], bearer: token).status == 404)
            #expect(await host.send("GET", "/internal/cards/patients/\(other)", bytes: [], bearer: token).status == 404)
            #expect(await host.send("GET", "/v1/patients?search=Arjun", bytes: [], bearer: token).items.count == 1)

            let stranger = try host.token(.doctor, tenant: TenantID())
            #expect(await host.send("GET", "/v1/patients/\(own)", bytes: [], bearer: stranger).status == 404)
            #expect(await host.send("GET", "/v1/patients?search=Meera", bytes: [], bearer: stranger).items.isEmpty)
        }
    }

    @Test func `The plain list is paged, newest first, without a gap`() async throws {
        try await withClinical { host in
            for index in 1...5 { _ = try await host.registered("Patient \(index)") }
            var names: [String] = []
            var path: String? = "/v1/patients?limit=2"
            while let next = path {
                let page = try await host.send("GET", next, as: .reception)
                names += try page.items.map { try $0.required("name") }
                path = try page.json.optional("nextCursor", as: String.self).map { "/v1/patients?limit=2&cursor=\($0)" }
            }
            #expect(names == ["Patient 5", "Patient 4", "Patient 3", "Patient 2", "Patient 1"])
        }
    }
}
