import Access
import Contracts
import JSON
import Loop
import Primitives
import TestSupport
import Testing

@testable import Clinical

@Suite struct PrescriptionRoutesTests {
    @LoopActor private func listed(_ host: TestHost, _ name: String, _ atc: String, form: String = "capsule") async throws -> MedicineID {
        let id = MedicineID()
        try await host.react(
            to: MedicineListed(
                medicineID: id, name: name, genericName: name, form: form, strength: "500 mg", atc: atc,
                unitPrice: Money(100, .inr), taxBasisPoints: 1200, active: true))
        return id
    }

    private func order(_ visit: VisitID, _ medicines: MedicineID..., reason: String? = nil) -> JSONObject {
        var order = JSONObject.body(
            ("visitId", .string(visit.description)),
            ("items", .array(medicines.map { medicine in
                .object(.body(
                    ("medicineId", .string(medicine.description)), ("dose", .double(0.5)), ("frequencyPerDay", .int(3)),
                    ("durationDays", .int(7)), ("instructions", .string("After food / खाने के बाद"))))
            })))
        if let reason { order["overrideReason"] = .string(reason) }
        return order
    }

    @Test func `A prescription is computed, announced, read back and printed`() async throws {
        try await withClinical { host in
            let visit = try await host.begun(try await host.registered("Meera Iyer मीरा").id)
            let medicine = try await listed(host, "Amoxicillin", "J01CA04")
            let issued = try await host.send("POST", "/v1/prescriptions", body: order(visit, medicine), as: .doctor)
            #expect(issued.status == 201)
            let item = try #require(try issued.json.required("items", as: [JSONObject].self).first)
            #expect(item["quantity"] == .int(11) && item["dose"] == .double(0.5))

            let id: PrescriptionID = try issued.json.required("id")
            let read = try await host.send("GET", "/v1/prescriptions/\(id)", as: .pharmacist)
            #expect(read.json["items"] == issued.json["items"] && read.json["validUntil"] == issued.json["validUntil"])
            let fact = try #require(try await host.announced().last)
            #expect(fact.type == "clinical.prescription.issued.v1")

            let pdf = try await host.send("GET", "/v1/prescriptions/\(id)/print", as: .doctor)
            #expect(pdf.status == 200 && pdf.header("Content-Type") == "application/pdf")
            #expect(pdf.bytes.starts(with: Array("%PDF-".utf8)))
            let card = try await host.send("GET", "/internal/cards/prescriptions/\(id)", as: .pharmacist)
            #expect(try card.json.required("items", as: [JSONObject].self).count == 1)
            let snapshot = try await host.send("POST", "/v1/visits/\(visit)/complete", as: .doctor)
            #expect(snapshot.status == 200)
            #expect(try await host.send("POST", "/v1/prescriptions", body: order(visit, medicine), as: .doctor).code == "visit_signed")
        }
    }

    @Test func `Nobody prescribes without a licence that is good today, and who has one asks nobody`() async throws {
        try await withClinical { host in
            let visit = try await host.begun(try await host.registered().id)
            let medicine = try await listed(host, "Amoxicillin", "J01CA04")
            let doctor = host.account(.doctor)
            @LoopActor func prescribe() async throws -> TestHost.Answer {
                // With a reason: the second one is the same medicine again.
                try await host.send("POST", "/v1/prescriptions", body: order(visit, medicine, reason: "again"), as: .doctor)
            }
            try await host.react(to: LicenceWithdrawn(accountID: doctor), revision: 2)
            host.license(doctor, until: "2020-01-01")
            #expect(try await prescribe().code == "prescriber_unlicensed")
            host.cards["scheduling", "/internal/cards/accounts/\(doctor)/provider"] = nil
            #expect(try await prescribe().code == "prescriber_unlicensed")
            host.license(doctor)
            #expect(try await prescribe().status == 201)
            host.cards["scheduling", "/internal/cards/accounts/\(doctor)/provider"] = nil
            let until = LocalDate(daysSinceEpoch: 80_000)
            try await host.react(to: LicenceVerified(accountID: doctor, validUntil: until), revision: 3)
            host.cards.isDown = true
            #expect(try await prescribe().status == 201)
            host.cards.isDown = false
            try await host.react(to: LicenceWithdrawn(accountID: doctor), revision: 4)
            try await host.react(to: LicenceVerified(accountID: doctor, validUntil: until), revision: 2)
            #expect(try await prescribe().code == "prescriber_unlicensed")
        }
    }

    @Test func `An allergy wants a reason, and the reason is kept and audited`() async throws {
        try await withClinical { host in
            let visit = try await host.begun(try await host.registered(allergies: ["Penicillin"]).id)
            let safe = try await listed(host, "Paracetamol", "N02BE01", form: "tablet")
            let amoxicillin = try await listed(host, "Amoxicillin", "J01CA04")
            let alert = try await host.send("POST", "/v1/prescriptions", body: order(visit, safe, amoxicillin), as: .doctor)
            #expect(alert.status == 422 && alert.code == "safety_alert")
            #expect(alert.pointers == ["/items/1"])
            let issued = try await host.send(
                "POST", "/v1/prescriptions", body: order(visit, safe, amoxicillin, reason: "Tolerated before"), as: .doctor)
            #expect(issued.status == 201 && issued.json["overrideReason"] == .string("Tolerated before"))
            #expect(try await host.audited().last?["action"] == .string("create_overriding_alerts"))
            let again = try await host.send("POST", "/v1/prescriptions", body: order(visit, safe), as: .doctor)
            #expect(again.code == "safety_alert")
        }
    }

    @Test func `A medicine that is not known here is asked for once, and an unknown one refused`() async throws {
        try await withClinical { host in
            let visit = try await host.begun(try await host.registered().id)
            let medicine = MedicineID()
            #expect(try await host.send("POST", "/v1/prescriptions", body: order(visit, medicine), as: .doctor).code == "medicine_unknown")
            host.cards["pharmacy", "/internal/cards/medicines/\(medicine)"] = .body(
                ("medicineId", .string(medicine.description)), ("name", .string("Zinc")), ("form", .string("tablet")),
                ("active", .bool(true)))
            #expect(try await host.send("POST", "/v1/prescriptions", body: order(visit, medicine), as: .doctor).status == 201)
            host.cards.isDown = true
            let again = try await host.send("POST", "/v1/prescriptions", body: order(visit, medicine, reason: "More"), as: .doctor)
            #expect(again.status == 201)
        }
    }

    @Test func `A unit that does not fit is named with its item`() async throws {
        try await withClinical { host in
            let visit = try await host.begun(try await host.registered().id)
            let syrup = try await listed(host, "Cough syrup", "R05DA09", form: "syrup")
            var wrong = order(visit, syrup)
            wrong["items"] = .array([
                .object(.body(
                    ("medicineId", .string(syrup.description)), ("dose", .int(1)), ("doseUnit", .string("tablet")),
                    ("frequencyPerDay", .int(3)), ("durationDays", .int(5))))
            ])
            let refused = try await host.send("POST", "/v1/prescriptions", body: wrong, as: .doctor)
            #expect(refused.status == 400 && refused.pointers == ["/items/0/doseUnit"])
            #expect(try await host.send("POST", "/v1/prescriptions", body: order(visit, syrup), as: .pharmacist).status == 403)
        }
    }
}
