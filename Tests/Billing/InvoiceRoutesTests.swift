import Access
import Bootstrap
import Contracts
import JSON
import Loop
import Postgres
import Primitives
import TestSupport
import Testing

@testable import Billing

@Suite struct InvoiceRoutesTests {
    @Test func `AUTO bills what was prescribed at catalogue prices, discount first, then tax`() async throws {
        try await onBilling { test in
            let (visit, _) = try test.visit([(21, test.medicine(1_180, 12)), (20, test.medicine(250, 5))])
            let answer = try await test.create(visit, #""mode":"AUTO","discount":{"percent":10}"#)
            #expect(answer.status == 201)
            #expect(answer.amounts("subtotal", "discount", "tax", "total") == [29_780, 2_978, 2_901, 29_703])
            #expect(try answer.json.required("status", as: String.self) == "DRAFT")
            let number: String = try answer.json.required("number")
            #expect(number == "INV-\(test.today.year)-000001")
            let twice = try await test.create(visit, #""mode":"AUTO""#)
            #expect((twice.status, twice.code) == (409, "invoice_exists"))
            // The failed one took no number.
            let other = try await test.create(try test.visit([(1, test.medicine(1, 0))]).0, #""mode":"AUTO""#)
            #expect(try other.json.required("number", as: String.self) == "INV-\(test.today.year)-000002")
        }
    }

    @Test func `The newest announced price is charged`() async throws {
        try await onBilling { test in
            let medicine = MedicineID()
            for (price, revision) in [(Int64(200), 2), (100, 1)] {
                try await test.react(
                    to: MedicineListed(
                        medicineID: medicine, name: "A", genericName: nil, form: "tablet", strength: "5 mg", atc: nil,
                        unitPrice: Money(price, .inr), taxBasisPoints: 0, active: true),
                    revision: revision)
            }
            let answer = try await test.create(try test.visit([(3, medicine)]).0, #""mode":"AUTO""#)
            #expect(answer.amounts("total") == [600])
            let lines: [JSONObject] = try answer.json.required("lines")
            #expect(try lines.map { try $0.required("description", as: String.self) } == ["A 5 mg"])
        }
    }

    @Test func `What cannot be billed is refused with its reason`() async throws {
        try await onBilling { test in
            #expect(try await test.create(VisitID(), #""mode":"AUTO""#).code == "visit_unknown")
            let (empty, _) = try test.visit([])
            #expect(try await test.create(empty, #""mode":"AUTO""#).code == "nothing_to_bill")
            #expect(try await test.create(empty, #""mode":"MANUAL""#).code == "nothing_to_bill")
            #expect(try await test.create(try test.visit([(1, MedicineID())]).0, #""mode":"AUTO""#).code == "medicine_unknown")
            let line = #""lines":[{"description":"X","quantity":1,"unitPrice":{"amount":100,"currency":"INR"}}]"#
            for (discount, status, code) in [
                (#"{"percent":10,"amount":{"amount":1,"currency":"INR"}}"#, 400, "invalid_request"),
                (#"{}"#, 400, "invalid_request"), (#"{"percent":10.001}"#, 400, "invalid_request"),
                (#"{"percent":101}"#, 400, "invalid_request"),
                (#"{"amount":{"amount":101,"currency":"INR"}}"#, 422, "discount_exceeds_subtotal"),
                (#"{"amount":{"amount":1,"currency":"USD"}}"#, 422, "currency_mismatch"),
            ] {
                let answer = try await test.create(empty, #""mode":"MANUAL",\#(line),"discount":\#(discount)"#)
                #expect((answer.status, answer.code) == (status, code), "\(discount)")
            }
            let total = try await test.create(empty, #""mode":"MANUAL",\#(line),"total":1"#)
            #expect((total.status, total.pointers) == (400, ["/total"]))
            test.cards.isDown = true
            #expect(try await test.create(empty, #""mode":"AUTO""#).status == 503)
        }
    }

    @Test func `A draft is edited by who has read it, and an issued one by nobody`() async throws {
        try await onBilling { test in
            let (visit, _) = try test.visit([(2, test.medicine(100, 0))])
            let created = try await test.create(visit, #""mode":"AUTO""#)
            let path = "/v1/invoices/\(try created.json.required("id", as: String.self))"
            let patch = try json(
                #"{"lines":[{"description":"Fee","quantity":1,"unitPrice":{"amount":1000,"currency":"INR"},"taxPercent":18}],"discount":{"amount":{"amount":200,"currency":"INR"}}}"#)
            #expect(try await test.send("PATCH", path, body: patch, as: .reception).status == 428)
            let edited = try await test.send(
                "PATCH", path, body: patch, as: .reception, headers: [("If-Match", try #require(created.etag))])
            // 200 + 1000, less 200 in proportion, 18 % on 1000 - 167.
            #expect(edited.amounts("subtotal", "discount", "tax", "total") == [1_200, 200, 150, 1_150])
            let issued = try await test.send("POST", path + "/issue", as: .reception)
            #expect(try issued.json.required("status", as: String.self) == "ISSUED")
            #expect(try await test.send("POST", path + "/issue", as: .reception).code == "invoice_issued")
            let late = try await test.send(
                "PATCH", path, body: patch, as: .reception, headers: [("If-Match", try #require(issued.etag))])
            #expect((late.status, late.code) == (409, "invoice_issued"))
            #expect(try await test.announced().map(\.type) == ["billing.invoice.issued.v1"])
        }
    }

    @Test func `Paying in parts settles it, announces it once, and the pharmacy is told when it asks`() async throws {
        try await onBilling { test in
            let (visit, prescription) = try test.visit([(10, test.medicine(5_000, 18))])
            let id: InvoiceID = try await test.create(visit, #""mode":"AUTO""#).json.required("id")
            let settlement = "/internal/cards/prescriptions/\(prescription)/settlement"
            #expect(try await test.send("GET", settlement, as: .pharmacist).json["paid"] == .bool(false))
            #expect(try await test.pay(id, "CARD", 40_000).status == 201)
            let over = try await test.pay(id, "UPI", 19_001)
            #expect((over.status, over.code) == (422, "amount_exceeds_due"))
            for wrong in [0, -1] { #expect(try await test.pay(id, "UPI", wrong).status == 400) }
            let last = try await test.pay(id, "UPI", 19_000)
            #expect(try last.json.required("invoice", as: JSONObject.self)["status"] == .string("PAID"))
            #expect(try await test.pay(id, "CASH").code == "invoice_paid")
            #expect(try await test.send("GET", settlement, as: .pharmacist).json["paid"] == .bool(true))
            #expect(
                try await test.announced().map(\.type) == [
                    "billing.invoice.issued.v1", "billing.payment.received.v1", "billing.payment.received.v1",
                    "billing.invoice.paid.v1",
                ])
            let shown = try await test.send("GET", "/v1/invoices/\(id)", as: .reception)
            #expect(shown.amounts("paid", "refunded", "due") == [59_000, 0, 0])
            #expect(try shown.json.required("payments", as: [JSONObject].self).count == 2)
        }
    }

    @Test func `Of twenty payments one is taken, of twenty bills one is made`() async throws {
        try await onBilling { test in
            let (visit, _) = try test.visit([(10, test.medicine(5_000, 18))])
            let bills = (0..<20).map { _ in EventLoop.spawn { try await test.create(visit, #""mode":"AUTO""#) } }
            var id: InvoiceID?
            var answers: [String: Int] = [:]
            for bill in bills {
                let answer = try await bill.value
                id = try answer.json.optional("id") ?? id
                answers["\(answer.status) \(answer.code ?? "")", default: 0] += 1
            }
            #expect(answers == ["201 ": 1, "409 invoice_exists": 19])
            let invoice = try #require(id)
            let payments = (0..<20).map { _ in EventLoop.spawn { try await test.pay(invoice, "CASH") } }
            answers = [:]
            for payment in payments {
                let answer = try await payment.value
                answers["\(answer.status) \(answer.code ?? "")", default: 0] += 1
            }
            #expect(answers == ["201 ": 1, "409 invoice_paid": 19])
        }
    }

    @Test func `Money is given back after a proof of the last ten minutes`() async throws {
        try await onBilling { test in
            let late = try test.token(.admin, authenticatedAgo: 601)
            let body = JSONObject([("reason", .string("wrong bill"))])
            let answer = await test.send("POST", "/v1/invoices/\(PaymentID())/refunds", bytes: body.jsonBytes, bearer: late)
            #expect(answer.status == 401 && answer.code == "insufficient_user_authentication")
        }
    }

    @Test func `A large refund needs an administrator, and none exceeds what was paid`() async throws {
        try await onBilling { test in
            let (visit, prescription) = try test.visit([(10, test.medicine(10_000, 18))])
            let id: InvoiceID = try await test.create(visit, #""mode":"AUTO""#).json.required("id")
            #expect(try await test.refund(id, 1).code == "invoice_draft")
            _ = try await test.pay(id, "CARD")
            let small = try await test.refund(id, 50_000)
            #expect(small.status == 201)
            let note: JSONObject = try small.json.required("creditNote")
            #expect(try note.required("number", as: String.self) == "CN-\(test.today.year)-000001")
            let refund: JSONObject = try small.json.required("refund")
            #expect(refund["method"] == .string("CARD"))
            // Split in two it is still too much.
            let second = try await test.refund(id, 1)
            #expect((second.status, second.code) == (403, "approval_required"))
            #expect(try await test.audited().last?["allowed"] == .bool(false))
            #expect(try await test.refund(id, 68_001, as: .admin).code == "amount_exceeds_paid")
            #expect(try await test.refund(id, 68_000, as: .admin).status == 201)
            let shown = try await test.send("GET", "/v1/invoices/\(id)", as: .reception)
            #expect(shown.amounts("total", "paid", "refunded", "due") == [118_000, 0, 118_000, 0])
            let settlement = try await test.send(
                "GET", "/internal/cards/prescriptions/\(prescription)/settlement", as: .pharmacist)
            #expect(settlement.json["status"] == .string("REFUNDED"))
            let sums = try await test.host.db.reader(for: test.tenant).all(
                "select sum(amount)::bigint from ledger_line group by account", as: { row in try row.next(as: Int64.self) })
            #expect(sums.allSatisfy { $0 == 0 })
        }
    }

    @Test func `Who took a payment does not approve its large refund alone`() async throws {
        try await onBilling { test in
            let (visit, _) = try test.visit([(10, test.medicine(10_000, 18))])
            let id: InvoiceID = try await test.create(visit, #""mode":"AUTO""#).json.required("id")
            let paid = try await test.send("POST", "/v1/invoices/\(id)/pay", body: try json(#"{"method":"CASH"}"#), as: .admin)
            #expect(paid.status == 201)
            #expect(try await test.refund(id, 50_000, as: .admin).status == 201, "a small one is anybody's")
            let large = try await test.refund(id, 50_001, as: .admin)
            #expect((large.status, large.code) == (403, "own_payment"))
            let body = try json(#"{"amount":{"amount":50001,"currency":"INR"},"reason":"complaint"}"#)
            let another = await test.send(
                "POST", "/v1/invoices/\(id)/refunds", bytes: body.jsonBytes,
                bearer: try test.token(.admin, account: AccountID()))
            #expect(another.status == 201)
        }
    }

    @Test func `A cancelled invoice makes room for another and is not paid`() async throws {
        try await onBilling { test in
            let (visit, _) = try test.visit([(10, test.medicine(100, 0))])
            let id: InvoiceID = try await test.create(visit, #""mode":"AUTO""#).json.required("id")
            _ = try await test.send("POST", "/v1/invoices/\(id)/issue", as: .reception)
            let cancelled = try await test.send(
                "POST", "/v1/invoices/\(id)/cancel", body: try json(#"{"reason":"wrong doctor"}"#), as: .reception)
            #expect(cancelled.json["status"] == .string("CANCELLED"))
            #expect(try await test.pay(id, "CASH").code == "invoice_cancelled")
            #expect(try await test.create(visit, #""mode":"AUTO""#).status == 201)
        }
    }

    @Test func `A patient sees the own invoices and no others`() async throws {
        try await onBilling { test in
            let (visit, _) = try test.visit([(10, test.medicine(100, 0))])
            let created = try await test.create(visit, #""mode":"AUTO""#)
            let (id, owner) = (
                try created.json.required("id", as: String.self), try created.json.required("patientId", as: PatientID.self)
            )
            for (patient, status, count) in [(owner, 200, 1), (PatientID(), 404, 0)] {
                let token = try test.token(.patient, patient: patient)
                #expect(await test.send("GET", "/v1/invoices/\(id)", bytes: [], bearer: token).status == status)
                #expect(await test.send("GET", "/v1/invoices", bytes: [], bearer: token).items.count == count)
                let asked = await test.send("GET", "/v1/invoices?patientId=\(owner)", bytes: [], bearer: token)
                #expect(asked.items.count == count)
            }
            let stranger = try test.token(.reception, tenant: TenantID())
            #expect(await test.send("GET", "/v1/invoices/\(id)", bytes: [], bearer: stranger).status == 404)
            let list = try await test.send("GET", "/v1/invoices?visitId=\(visit)&status=DRAFT", as: .cashier)
            #expect(list.items.count == 1)
        }
    }

    @Test func `No answer that was kept for a repetition tells of a person who was erased, and their bill stays`() async throws {
        try await onBilling { test in
            func bill(_ visit: VisitID, _ key: String) async throws -> TestHost.Answer {
                let line = #"{"description":"Dressing of an ulcer","quantity":1,"unitPrice":{"amount":1000,"currency":"INR"}}"#
                let body = try json(#"{"visitId":"\#(visit)","mode":"MANUAL","lines":[\#(line)]}"#)
                return try await test.send("POST", "/v1/invoices", body: body, as: .reception, headers: [("Idempotency-Key", key)])
            }
            func pay(_ bill: TestHost.Answer, _ key: String) async throws -> TestHost.Answer {
                let path = "/v1/invoices/\(try bill.json.required("id", as: InvoiceID.self))/pay"
                return try await test.send(
                    "POST", path, body: try json(#"{"method":"CASH"}"#), as: .reception, headers: [("Idempotency-Key", key)])
            }
            let (visit, other) = (try test.visit([]).0, try test.visit([]).0)
            let made = try await bill(visit, "b")
            let another = try await bill(other, "o")
            #expect((made.status, another.status) == (201, 201))
            #expect(try await pay(made, "p").status == 201)
            #expect(try await bill(visit, "b").bytes == made.bytes)

            try await test.react(to: PatientErased(patientID: try made.json.required("patientId")))
            for again in [try await bill(visit, "b"), try await pay(made, "p")] {
                #expect((again.status, again.code) == (409, "answer_gone"))
            }
            // Nothing was done a second time, the document is as it was issued, and nobody else's answer is gone.
            let shown = try await test.send("GET", "/v1/invoices/\(try made.json.required("id", as: InvoiceID.self))", as: .reception)
            #expect(shown.amounts("paid", "due") == [1_000, 0])
            let lines: [JSONObject] = try shown.json.required("lines")
            #expect(lines.map { $0["description"] } == [.string("Dressing of an ulcer")])
            #expect(try await bill(other, "o").bytes == another.bytes)
        }
    }

    @Test func `What is written on bills rests sealed, opens in its place, and reads as it was written`() async throws {
        try await onBilling { test in
            let bill = try await test.wordedBill()
            #expect(try await bill.words(test) == ["Dressing of an ulcer", "Too much, said the patient"])
            let resting = try await test.host.db.reader(for: test.tenant).all(
                """
                select l.description || coalesce(i.cancelled_reason, '') || n.reason
                from invoice i join invoice_line l on l.invoice_id = i.id join credit_note n on n.invoice_id = i.id
                """, as: { row in try row.next(as: String.self) })
            #expect(resting == [""])
            let other = try await test.wordedBill()
            try await test.tamper(
                "invoice_line",
                "update invoice_line a set sealed_description = b.sealed_description from invoice_line b where a.invoice_id = '\(other.id)' and b.invoice_id = '\(bill.id)'")
            #expect(try await test.send("GET", "/v1/invoices/\(other.id)", as: .reception).status == 500)
            let reason = try json(#"{"reason":"For Mrs. Rao's sake"}"#)
            let cancelled = try await test.create(try test.visit([(1, test.medicine(100, 0))]).0, #""mode":"AUTO""#)
            let path = "/v1/invoices/\(try cancelled.json.required("id", as: String.self))"
            #expect(try await test.send("POST", path + "/cancel", body: reason, as: .reception).status == 200)
            #expect(try await test.send("GET", path, as: .reception).json["cancelledReason"] == .string("For Mrs. Rao's sake"))
            let listed = try await test.send("GET", "/v1/invoices?status=CANCELLED", as: .reception)
            #expect(listed.items.first?["cancelledReason"] == .string("For Mrs. Rao's sake"))
        }
    }

    @Test func `Words from before they were sealed are read, then sealed while the document stays`() async throws {
        try await onBilling { test in
            let bill = try await test.wordedBill()
            try await test.tamper("invoice_line", "update invoice_line set sealed_description = null, description = 'Old dressing'")
            try await test.tamper("credit_note", "update credit_note set sealed_reason = null, reason = 'Old reason'")
            #expect(try await bill.words(test) == ["Old dressing", "Old reason"])
            let before = try await test.send("GET", "/v1/invoices/\(bill.id)", as: .reception)
            try await SealWords(host: test.host).sweep()
            let clear = try await test.host.db.reader(for: test.tenant).first(
                """
                select (select count(*) from invoice_line where sealed_description is null or description <> '')
                    + (select count(*) from credit_note where sealed_reason is null or reason <> '')
                """, as: { row in try row.next(as: Int.self) })
            #expect(clear == 0)
            #expect(try await test.send("GET", "/v1/invoices/\(bill.id)", as: .reception).bytes == before.bytes)
            // What is sealed is not sealed again, and nothing else of an issued document changes by that way.
            for statement: SQL in [
                "select seal_invoice_line(invoice_id, position, 'x'::bytea) from invoice_line",
                "select seal_credit_note(id, 'x'::bytea) from credit_note",
            ] {
                try await test.host.db.transaction(for: test.tenant) { _ = try await $0.run(statement) }
            }
            #expect(try await bill.words(test) == ["Old dressing", "Old reason"])
        }
    }
}

/// An issued bill with words on it: a line and a credit note.
struct WordedBill {
    let id: InvoiceID

    /// The words that the till reads.
    @LoopActor func words(_ test: TestHost) async throws -> [String] {
        let shown = try await test.send("GET", "/v1/invoices/\(id)", as: .reception)
        let lines: [JSONObject] = try shown.json.required("lines")
        let notes: [JSONObject] = try shown.json.required("creditNotes")
        return try lines.map { try $0.required("description") } + notes.map { try $0.required("reason") }
    }
}

func onBilling(_ body: sending @escaping @LoopActor (TestHost) async throws -> Void) async throws {
    try await onLoop {
        try await TestHost.with(BillingConfig.init(environment:), BillingService.describe) { try await body($0) }
    }
}

func json(_ text: String) throws -> JSONObject {
    guard case .object(let object) = try JSONValue.parse(Array(text.utf8)) else {
        throw JSONError.malformed(reason: "no object", offset: 0)
    }
    return object
}

extension TestHost.Answer {
    func amounts(_ names: String...) -> [Int64] {
        names.map { (try? json.required($0, as: Money.self))?.amount ?? -1 }
    }
}

extension TestHost {
    var today: LocalDate { principal(.reception).today(at: clock.now) }

    /// A medicine as pharmacy's card tells it.
    func medicine(_ price: Int64, _ taxPercent: Int) throws -> MedicineID {
        let id = MedicineID()
        cards["pharmacy", "/internal/cards/medicines/\(id)"] = try json(
            #"{"medicineId":"\#(id)","name":"A","form":"tablet","unitPrice":{"amount":\#(price),"currency":"INR"},"taxBasisPoints":\#(taxPercent * 100),"active":true}"#)
        return id
    }

    /// A visit with one prescription as clinical's card tells it.
    func visit(_ items: [(quantity: Int, medicine: MedicineID)]) throws -> (VisitID, PrescriptionID) {
        let (visit, prescription) = (VisitID(), PrescriptionID())
        let prescribed = items.map { PrescribedItem(itemID: PrescriptionItemID(), medicineID: $0.medicine, quantity: $0.quantity) }
        let lines = String(decoding: prescribed.jsonBytes, as: UTF8.self)
        let prescriptions = items.isEmpty ? "" : #"{"prescriptionId":"\#(prescription)","validUntil":"2099-01-01","items":\#(lines)}"#
        cards["clinical", "/internal/cards/visits/\(visit)"] = try json(
            #"{"visitId":"\#(visit)","patientId":"\#(PatientID())","locationId":"\#(location)","status":"completed","prescriptions":[\#(prescriptions)]}"#)
        return (visit, prescription)
    }

    func create(_ visit: VisitID, _ rest: String) async throws -> Answer {
        try await send("POST", "/v1/invoices", body: try json(#"{"visitId":"\#(visit)",\#(rest)}"#), as: .reception)
    }

    func pay(_ id: InvoiceID, _ method: String, _ amount: Int? = nil) async throws -> Answer {
        let part = amount.map { #","amount":{"amount":\#($0),"currency":"INR"}"# } ?? ""
        return try await send(
            "POST", "/v1/invoices/\(id)/pay", body: try json(#"{"method":"\#(method)"\#(part)}"#), as: .reception)
    }

    func wordedBill() async throws -> WordedBill {
        let (visit, _) = try visit([])
        let line = #"{"description":"Dressing of an ulcer","quantity":1,"unitPrice":{"amount":1000,"currency":"INR"}}"#
        let id: InvoiceID = try await create(visit, #""mode":"MANUAL","lines":[\#(line)]"#).json.required("id")
        _ = try await pay(id, "CASH")
        let given = try await send(
            "POST", "/v1/invoices/\(id)/refunds",
            body: try json(#"{"amount":{"amount":100,"currency":"INR"},"reason":"Too much, said the patient"}"#), as: .reception)
        #expect(given.status == 201)
        return WordedBill(id: id)
    }

    /// Runs as the owner, for whom the guards of `table` are put aside.
    func tamper(_ table: String, _ statement: String) async throws {
        try await database.asOwner(
            """
            alter table \(table) no force row level security; alter table \(table) disable trigger user;
            \(statement);
            alter table \(table) enable trigger user; alter table \(table) force row level security
            """)
    }

    func refund(_ id: InvoiceID, _ amount: Int, as role: Role = .reception) async throws -> Answer {
        try await send(
            "POST", "/v1/invoices/\(id)/refunds",
            body: try json(#"{"amount":{"amount":\#(amount),"currency":"INR"},"reason":"complaint"}"#), as: role)
    }
}
