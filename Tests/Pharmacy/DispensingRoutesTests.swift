import Access
import Bootstrap
import Contracts
import JSON
import Loop
import Postgres
import Primitives
import TestSupport
import Testing

@testable import Pharmacy

@Suite struct DispensingRoutesTests {
    @Test func `A paid prescription is taken from two batches, the earlier expiry first, and low stock is announced`()
        async throws
    {
        try await onPharmacy { test in
            let medicine = try await test.medicine(reorderLevel: 30)
            try await test.batch(medicine, lot: "LATE", expires: 200, 30)
            try await test.batch(medicine, lot: "SOON", expires: 20, 15)
            let prescription = try await test.prescribe(medicine, 21, isPaid: true)
            let answer = try await test.dispense(prescription)
            #expect(answer.status == 201)
            let lines: [JSONObject] = try answer.json.required("lines")
            #expect(try lines.map { try $0.required("lotNumber", as: String.self) } == ["SOON", "LATE"])
            #expect(try lines.map { try $0.required("quantity", as: Int.self) } == [15, 6])
            #expect(try answer.json.required("complete", as: Bool.self))
            let facts = try await test.announced().suffix(4)
            #expect(
                facts.map(\.type) == [
                    "pharmacy.stock.moved.v1", "pharmacy.stock.moved.v1", "pharmacy.stock.ran_low.v1",
                    "pharmacy.prescription.dispensed.v1",
                ])
            #expect(try facts.map(\.data)[2].required("onHand", as: Int.self) == 24)
            let again = try await test.dispense(prescription)
            #expect((again.status, again.code) == (409, "already_dispensed"))
            let id: DispensingID = try answer.json.required("id")
            #expect(try await test.send("GET", "/v1/dispensing/\(id)", as: .pharmacist).status == 200)
            let low = try await test.send("GET", "/v1/inventory/low-stock", as: .pharmacist)
            #expect(try low.items.map { try $0.required("medicineId", as: MedicineID.self) } == [medicine])
        }
    }

    @Test func `Stock that runs low twice is announced twice`() async throws {
        try await onPharmacy { test in
            let medicine = try await test.medicine(reorderLevel: 10)
            for turn in 0..<2 {
                try await test.batch(medicine, lot: "L\(turn)", expires: 50, 10 + turn)
                #expect(try await test.dispense(try await test.prescribe(medicine, 9, isPaid: true)).status == 201)
            }
            let low = try await test.announced().filter { $0.type == "pharmacy.stock.ran_low.v1" }
            #expect(low.count == 2)
        }
    }

    @Test func `Before it is paid nothing leaves; the till is asked before anybody is refused`() async throws {
        try await onPharmacy { test in
            let medicine = try await test.medicine()
            try await test.batch(medicine, lot: "A", expires: 50, 100)
            let prescription = try await test.prescribe(medicine, 10, isPaid: false)
            let unpaid = try await test.dispense(prescription)
            #expect((unpaid.status, unpaid.code) == (422, "invoice_unpaid"))
            test.cards["billing", "/internal/cards/prescriptions/\(prescription)/settlement"] =
                try json(#"{"prescriptionId":"\#(prescription)","invoiceId":"\#(InvoiceID())","status":"PAID","paid":true}"#)
            #expect(try await test.dispense(prescription).status == 201)
        }
    }

    @Test func `Nobody hands out what they prescribed, whichever way the prescription is known`() async throws {
        try await onPharmacy { test in
            let medicine = try await test.medicine()
            try await test.batch(medicine, lot: "A", expires: 50, 100)
            let account = AccountID()
            let both = try test.token(.doctor, .pharmacist, account: account)
            let (known, unheard) = (PrescriptionID(), PrescriptionID())
            try await test.react(
                to: PrescriptionIssued(
                    prescriptionID: known, visitID: VisitID(), patientID: PatientID(), practitionerID: account,
                    validUntil: test.today.adding(days: 30),
                    items: [PrescribedItem(itemID: PrescriptionItemID(), medicineID: medicine, quantity: 10)]))
            test.cards["clinical", "/internal/cards/prescriptions/\(unheard)"] = try json(
                """
                {"prescriptionId":"\(unheard)","visitId":"\(VisitID())","patientId":"\(PatientID())","practitionerId":"\(account)",
                 "status":"active","validUntil":"\(test.today.adding(days: 30))",
                 "items":[{"itemId":"\(PrescriptionItemID())","medicineId":"\(medicine)","quantity":10}]}
                """)
            for prescription in [known, unheard] {
                try await test.pay(prescription)
                let body = try json(#"{"prescriptionId":"\#(prescription)"}"#).jsonBytes
                let own = await test.send("POST", "/v1/dispensing", bytes: body, bearer: both)
                #expect((own.status, own.code) == (403, "own_prescription"))
                #expect(try await test.dispense(prescription).status == 201, "a colleague hands it out, and all of it is there")
            }
        }
    }

    @Test func `A refund makes the counter ask again`() async throws {
        try await onPharmacy { test in
            let medicine = try await test.medicine()
            try await test.batch(medicine, lot: "A", expires: 50, 100)
            let invoice = InvoiceID()
            let prescription = try await test.prescribe(medicine, 10, isPaid: true, invoice: invoice)
            try await test.react(
                to: InvoiceRefunded(
                    invoiceID: invoice, creditNote: "CN-2026-000001", refunded: Money(1, .inr), localDate: day(0)))
            #expect(try await test.dispense(prescription).code == "invoice_unpaid")
        }
    }

    @Test func `A prescription whose fact is still on its way is asked of clinical`() async throws {
        try await onPharmacy { test in
            let medicine = try await test.medicine()
            try await test.batch(medicine, lot: "A", expires: 50, 100)
            let (prescription, item) = (PrescriptionID(), PrescriptionItemID())
            test.cards["clinical", "/internal/cards/prescriptions/\(prescription)"] = try json(
                """
                {"prescriptionId":"\(prescription)","visitId":"\(VisitID())","patientId":"\(PatientID())",
                 "status":"active","validUntil":"\(test.today.adding(days: 30))",
                 "items":[{"itemId":"\(item)","medicineId":"\(medicine)","quantity":10}]}
                """)
            try await test.pay(prescription)
            let part = try await test.dispense(prescription, items: #"[{"prescriptionItemId":"\#(item)","quantity":4}]"#)
            #expect(part.status == 201)
            #expect(try part.json.required("complete", as: Bool.self) == false)
            let more = try await test.dispense(prescription, items: #"[{"prescriptionItemId":"\#(item)","quantity":7}]"#)
            #expect((more.status, more.code) == (422, "quantity_exceeds_prescription"))
            // The fact arrives late and changes nothing of what was handed out.
            try await test.react(to: test.issued(prescription, item, medicine, 10, validFor: 30))
            #expect(try await test.dispense(prescription).status == 201)
            #expect(try await test.dispense(prescription).code == "already_dispensed")
            let unknown = try await test.dispense(PrescriptionID())
            #expect((unknown.status, unknown.code) == (422, "prescription_unknown"))
        }
    }

    @Test func `An expired prescription is refused, and so is one the shelf cannot fill`() async throws {
        try await onPharmacy { test in
            let medicine = try await test.medicine()
            try await test.batch(medicine, lot: "A", expires: 50, 5)
            let old = try await test.prescribe(medicine, 1, isPaid: true, validFor: -1)
            #expect(try await test.dispense(old).code == "prescription_expired")
            let large = try await test.prescribe(medicine, 6, isPaid: true)
            let short = try await test.dispense(large)
            #expect((short.status, short.code) == (409, "insufficient_stock"))
            let movements = try await test.send("GET", "/v1/inventory/movements", as: .pharmacist)
            #expect(movements.items.count == 1)
        }
    }

    @Test func `Of twenty dispensings of one prescription one succeeds`() async throws {
        try await onPharmacy { test in
            let medicine = try await test.medicine()
            try await test.batch(medicine, lot: "A", expires: 50, 6)
            try await test.batch(medicine, lot: "B", expires: 60, 30)
            let prescription = try await test.prescribe(medicine, 10, isPaid: true)
            let tries = (0..<20).map { _ in EventLoop.spawn { try await test.dispense(prescription) } }
            var answers: [String: Int] = [:]
            for attempt in tries {
                let answer = try await attempt.value
                answers["\(answer.status) \(answer.code ?? "")", default: 0] += 1
            }
            #expect(answers == ["201 ": 1, "409 already_dispensed": 19])
            let reader = test.host.db.reader(for: test.tenant)
            let sums = try await reader.first(
                "select (select sum(on_hand) from batch)::bigint, (select sum(delta) from stock_movement)::bigint",
                as: { row in [try row.next(as: Int.self), try row.next(as: Int.self)] })
            #expect(sums == [26, 26])
        }
    }

    @Test func `The same key hands out once and answers alike`() async throws {
        try await onPharmacy { test in
            let medicine = try await test.medicine()
            try await test.batch(medicine, lot: "A", expires: 50, 100)
            let prescription = try await test.prescribe(medicine, 10, isPaid: true)
            let first = try await test.dispense(prescription, key: "k1")
            let second = try await test.dispense(prescription, key: "k1")
            #expect(first.status == 201)
            #expect(first.bytes == second.bytes)
        }
    }

    @Test func `No answer that was kept for a repetition tells of a person who was erased`() async throws {
        try await onPharmacy { test in
            let medicine = try await test.medicine()
            try await test.batch(medicine, lot: "A", expires: 50, 100)
            let (theirs, others) = (
                test.issued(PrescriptionID(), PrescriptionItemID(), medicine, 10, validFor: 30),
                test.issued(PrescriptionID(), PrescriptionItemID(), medicine, 10, validFor: 30)
            )
            for prescription in [theirs, others] {
                try await test.react(to: prescription)
                try await test.pay(prescription.prescriptionID)
            }
            let first = try await test.dispense(theirs.prescriptionID, key: "e")
            let second = try await test.dispense(others.prescriptionID, key: "o")
            #expect((first.status, second.status) == (201, 201))

            try await test.react(to: PatientErased(patientID: theirs.patientID))
            let again = try await test.dispense(theirs.prescriptionID, key: "e")
            #expect((again.status, again.code) == (409, "answer_gone"))
            #expect(try await test.dispense(others.prescriptionID, key: "o").bytes == second.bytes)
            let movements = try await test.send("GET", "/v1/inventory/movements", as: .pharmacist)
            #expect(movements.items.count == 3, "one batch came in and two dispensings went out, neither of them twice")
        }
    }

    @Test func `Only a pharmacist hands out`() async throws {
        try await onPharmacy { test in
            for role in [Role.doctor, .reception, .nurse, .patient, .admin] {
                let answer = try await test.send(
                    "POST", "/v1/dispensing", body: try json(#"{"prescriptionId":"\#(PrescriptionID())"}"#), as: role)
                #expect((answer.status, answer.code) == (403, "forbidden"))
            }
        }
    }
}

func onPharmacy(_ body: sending @escaping @LoopActor (TestHost) async throws -> Void) async throws {
    try await onLoop {
        try await TestHost.with(PharmacyConfig.init(environment:), PharmacyService.describe) { try await body($0) }
    }
}

func json(_ text: String) throws -> JSONObject {
    guard case .object(let object) = try JSONValue.parse(Array(text.utf8)) else {
        throw JSONError.malformed(reason: "no object", offset: 0)
    }
    return object
}

extension TestHost {
    var today: LocalDate { principal(.pharmacist).today(at: clock.now) }

    func medicine(reorderLevel: Int = 0) async throws -> MedicineID {
        let answer = try await send(
            "POST", "/v1/inventory/medicines",
            body: try json(
                #"{"name":"A","form":"tablet","unitPrice":{"amount":100,"currency":"INR"},"taxPercent":12.5,"reorderLevel":\#(reorderLevel)}"#),
            as: .pharmacist)
        #expect(answer.status == 201)
        return try answer.json.required("id")
    }

    @discardableResult
    func batch(_ medicine: MedicineID, lot: String, expires days: Int, _ quantity: Int) async throws -> Answer {
        let expiry = today.adding(days: days)
        return try await send(
            "POST", "/v1/inventory/batches",
            body: try json(
                #"{"medicineId":"\#(medicine)","lotNumber":"\#(lot)","expiryDate":"\#(expiry)","quantity":\#(quantity)}"#),
            as: .pharmacist)
    }

    func issued(
        _ prescription: PrescriptionID, _ item: PrescriptionItemID, _ medicine: MedicineID, _ quantity: Int, validFor days: Int
    ) -> PrescriptionIssued {
        PrescriptionIssued(
            prescriptionID: prescription, visitID: VisitID(), patientID: PatientID(), practitionerID: AccountID(),
            validUntil: today.adding(days: days),
            items: [PrescribedItem(itemID: item, medicineID: medicine, quantity: quantity)])
    }

    func prescribe(
        _ medicine: MedicineID, _ quantity: Int, isPaid: Bool, invoice: InvoiceID = InvoiceID(), validFor days: Int = 30
    ) async throws -> PrescriptionID {
        let prescription = PrescriptionID()
        try await react(to: issued(prescription, PrescriptionItemID(), medicine, quantity, validFor: days))
        if isPaid { try await pay(prescription, invoice) }
        return prescription
    }

    func pay(_ prescription: PrescriptionID, _ invoice: InvoiceID = InvoiceID()) async throws {
        try await react(
            to: InvoicePaid(
                invoiceID: invoice, visitID: VisitID(), patientID: PatientID(), prescriptionIDs: [prescription],
                total: Money(100, .inr), localDate: today))
    }

    func dispense(_ prescription: PrescriptionID, items: String? = nil, key: String? = nil) async throws -> Answer {
        let extra = items.map { #","items":\#($0)"# } ?? ""
        return try await send(
            "POST", "/v1/dispensing", body: try json(#"{"prescriptionId":"\#(prescription)"\#(extra)}"#), as: .pharmacist,
            headers: key.map { [("Idempotency-Key", $0)] } ?? [])
    }
}
