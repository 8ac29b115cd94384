import Access
import Bootstrap
import JSON
import Loop
import Primitives
import TestSupport
import Testing

@testable import Pharmacy

@Suite struct InventoryRoutesTests {
    @Test func `Every wrong field of a medicine is named at once`() async throws {
        try await onPharmacy { test in
            let answer = try await test.send(
                "POST", "/v1/inventory/medicines",
                body: try json(#"{"name":"","unitPrice":{"amount":-1,"currency":"INR"},"taxPercent":101,"colour":"red"}"#),
                as: .pharmacist)
            #expect(answer.status == 400)
            #expect(Set(answer.pointers).isSuperset(of: ["/name", "/form", "/taxPercent", "/colour"]))
            let thirds = try await test.send(
                "POST", "/v1/inventory/medicines",
                body: try json(#"{"name":"A","form":"gel","unitPrice":{"amount":1,"currency":"INR"},"taxPercent":12.345}"#),
                as: .pharmacist)
            #expect(thirds.status == 400)
            #expect(thirds.pointers == ["/taxPercent"])
            let dollars = try await test.send(
                "POST", "/v1/inventory/medicines",
                body: try json(#"{"name":"A","form":"gel","unitPrice":{"amount":1,"currency":"USD"}}"#), as: .pharmacist)
            #expect((dollars.status, dollars.code) == (422, "currency_mismatch"))
        }
    }

    @Test func `A medicine is changed by who has read it, and the change is announced`() async throws {
        try await onPharmacy { test in
            let id = try await test.medicine()
            let path = "/v1/inventory/medicines/\(id)"
            let patch = try json(#"{"unitPrice":{"amount":250,"currency":"INR"},"genericName":"Alpha"}"#)
            #expect(try await test.send("PATCH", path, body: patch, as: .pharmacist).status == 428)
            let etag = try #require(try await test.send("GET", path, as: .doctor).etag)
            let changed = try await test.send("PATCH", path, body: patch, as: .pharmacist, headers: [("If-Match", etag)])
            #expect(changed.status == 200)
            #expect(try changed.json.required("taxPercent", as: Double.self) == 12.5)
            let stale = try await test.send("PATCH", path, body: patch, as: .pharmacist, headers: [("If-Match", etag)])
            #expect(stale.status == 412)
            let cleared = try await test.send(
                "PATCH", path, body: try json(#"{"genericName":null}"#), as: .pharmacist,
                headers: [("If-Match", try #require(changed.etag))])
            #expect(!cleared.json.has("genericName"))
            #expect(try await test.announced().map(\.type) == Array(repeating: "pharmacy.medicine.listed.v1", count: 3))
            let card = try await test.send("GET", "/internal/cards/medicines/\(id)", as: .reception)
            #expect(try card.json.required("unitPrice", as: Money.self) == Money(250, .inr))
        }
    }

    @Test func `The list is paged without gaps and found by part of a name`() async throws {
        try await onPharmacy { test in
            for _ in 0..<5 { _ = try await test.medicine() }
            var seen: Set<MedicineID> = []
            var path: String? = "/v1/inventory/medicines?limit=2"
            while let next = path {
                let page = try await test.send("GET", next, as: .nurse)
                for item in page.items { #expect(seen.insert(try item.required("id")).inserted) }
                path = try page.json.optional("nextCursor", as: String.self)
                    .map { "/v1/inventory/medicines?limit=2&cursor=\($0)" }
            }
            #expect(seen.count == 5)
            #expect(try await test.send("GET", "/v1/inventory/medicines?cursor=%21", as: .nurse).status == 400)
            #expect(try await test.send("GET", "/v1/inventory/medicines?cursor=eHg", as: .nurse).status == 400)
        }
    }

    @Test func `A batch is received once, unexpired and of a known medicine`() async throws {
        try await onPharmacy { test in
            let medicine = try await test.medicine()
            #expect(try await test.batch(medicine, lot: "A", expires: 0, 5).status == 201)
            #expect(try await test.batch(medicine, lot: "A", expires: 0, 5).code == "batch_exists")
            #expect(try await test.batch(medicine, lot: "B", expires: -1, 5).code == "batch_expired")
            #expect(try await test.batch(MedicineID(), lot: "B", expires: 1, 5).code == "medicine_unknown")
            #expect(try await test.batch(medicine, lot: "B", expires: 1, 0).status == 400)
            let month = try await test.send(
                "POST", "/v1/inventory/batches",
                body: try json(#"{"medicineId":"\#(medicine)","lotNumber":"M","expiryDate":"2099-02","quantity":1}"#),
                as: .pharmacist)
            #expect(try month.json.required("expiryDate", as: String.self) == "2099-02-28")
            let never = try await test.send(
                "POST", "/v1/inventory/batches",
                body: try json(#"{"medicineId":"\#(medicine)","lotNumber":"M","expiryDate":"2099-02-30","quantity":1}"#),
                as: .pharmacist)
            #expect((never.status, never.pointers) == (400, ["/expiryDate"]))
        }
    }

    @Test func `A correction says why, never goes below nothing, and is logged`() async throws {
        try await onPharmacy { test in
            let medicine = try await test.medicine(reorderLevel: 8)
            let id: BatchID = try await test.batch(medicine, lot: "A", expires: 40, 10).json.required("id")
            let path = "/v1/inventory/batches/\(id)"
            func adjust(_ delta: String, _ rest: String = #","reason":"count""#, match: String? = nil) async throws -> TestHost.Answer {
                try await test.send(
                    "PATCH", path, body: try json(#"{"delta":\#(delta)\#(rest)}"#), as: .pharmacist,
                    headers: match.map { [("If-Match", $0)] } ?? [])
            }
            #expect(try await adjust("-11").code == "insufficient_stock")
            #expect(try await adjust("0").status == 400)
            #expect(try await adjust("-1", "").status == 400)
            #expect(try await adjust("9223372036854775807").status == 400)
            #expect(try await adjust("-1", match: "\"9\"").status == 412)
            let done = try await adjust("-3", match: "\"1\"")
            #expect((done.status, done.etag) == (200, "\"2\""))
            #expect(try done.json.required("onHand", as: Int.self) == 7)
            let movements = try await test.send("GET", "/v1/inventory/movements?batchId=\(id)&kind=ADJUSTMENT", as: .admin)
            #expect(try movements.items.map { try $0.required("delta", as: Int.self) } == [-3])
            #expect(try await test.announced().last?.type == "pharmacy.stock.ran_low.v1")
            #expect(try await test.audited().last?.required("action", as: String.self) == "adjust")
            let expiring = try await test.send("GET", "/v1/inventory/expiring?days=60", as: .pharmacist)
            #expect(try expiring.items.map { try $0.required("daysLeft", as: Int.self) } == [40])
            #expect(try await test.send("GET", "/v1/inventory/expiring?days=30", as: .pharmacist).items.isEmpty)
        }
    }

    @Test func `A batch set aside is counted but not handed out`() async throws {
        try await onPharmacy { test in
            let medicine = try await test.medicine()
            let id: BatchID = try await test.batch(medicine, lot: "A", expires: 40, 10).json.required("id")
            let aside = try await test.send(
                "PUT", "/v1/inventory/batches/\(id)/quarantine", body: try json(#"{"quarantined":true,"reason":"recall"}"#),
                as: .pharmacist)
            #expect(aside.status == 200)
            #expect(aside.json["quarantineReason"] == .string("recall"))
            let prescription = try await test.prescribe(medicine, 1, isPaid: true)
            #expect(try await test.dispense(prescription).code == "insufficient_stock")
            let shown = try await test.send("GET", "/v1/inventory/medicines/\(medicine)", as: .doctor)
            #expect(try shown.json.required("onHand", as: Int.self) == 0)
            #expect(try await test.send("GET", "/v1/inventory/batches/\(id)", as: .admin).json["onHand"] == .int(10))
        }
    }
}
