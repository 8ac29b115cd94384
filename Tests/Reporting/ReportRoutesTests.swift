import Access
import Bootstrap
import Contracts
import JSON
import Loop
import Messaging
import Primitives
import TestSupport
import Testing

@testable import Reporting

@Suite struct ReportRoutesTests {
    @Test func `A day's facts add up in its summary`() async throws {
        try await onReporting { test in
            let today = test.principal(.admin).today(at: test.clock.now)
            let patient = PatientID()
            for _ in 0..<2 {
                try await test.react(
                    to: VisitCompleted(
                        visitID: VisitID(), patientID: patient, practitionerID: AccountID(), tokenID: nil,
                        appointmentID: nil, locationID: test.location, localDate: today, completedAt: test.clock.now))
            }
            for (method, amount) in [("CASH", 29_703), ("CARD", 40_000), ("UPI", 19_000)] as [(String, Int64)] {
                try await test.react(
                    to: PaymentReceived(
                        paymentID: PaymentID(), invoiceID: InvoiceID(), method: method, paid: Money(amount, .inr),
                        due: Money(0, .inr), localDate: today))
            }
            try await test.react(
                to: InvoiceRefunded(
                    invoiceID: InvoiceID(), creditNote: "CN-2026-000001", refunded: Money(1_000, .inr), localDate: today))
            try await test.react(
                to: PrescriptionDispensed(
                    dispensingID: DispensingID(), prescriptionID: PrescriptionID(), patientID: patient, complete: true,
                    quantity: 41, localDate: today))
            let answer = try await test.send("GET", "/v1/reports/daily-summary", as: .admin)
            #expect(answer.status == 200)
            for (name, count) in [("patients", 1), ("visits", 2), ("itemsDispensed", 41), ("tokensIssued", 0)] {
                #expect(answer.json[name] == .int(Int64(count)), "\(name)")
            }
            #expect(try answer.json.required("revenue", as: Money.self) == Money(88_703, .inr))
            #expect(try answer.json.required("refunds", as: Money.self) == Money(1_000, .inr))
            #expect(try answer.json.required("revenueByMethod", as: [JSONObject].self).count == 3)
            let before = try await test.send("GET", "/v1/reports/daily-summary?date=2026-02-28", as: .auditor)
            #expect(before.json["visits"] == .int(0))
            #expect(try await test.send("GET", "/v1/reports/daily-summary?date=2026-02-30", as: .admin).status == 400)
            #expect(try await test.send("GET", "/v1/reports/daily-summary", as: .doctor).status == 403)
        }
    }

    @Test func `A patient sees who read a list that they were on, in order with who opened the record`() async throws {
        try await onReporting { test in
            let (own, other) = (PatientID(), PatientID())
            @LoopActor func entry(_ action: String, of patient: PatientID?, listing: [PatientID], at seconds: Int64) -> AccessRecorded.Entry {
                AccessRecorded.Entry(
                    id: EventID(), at: test.clock.now.adding(seconds: seconds), actorID: AccountID(), role: "reception",
                    action: action, resource: "patient_list", resourceID: "patient_list", allowed: true, patientID: patient,
                    purpose: "TREAT",
                    after: JSONObject([("patients", .array(listing.map { .string($0.description) }))]), traceID: "0")
            }
            let first = entry("create", of: own, listing: [], at: 0)
            let lists = [entry("search", of: nil, listing: [own, other], at: 1), entry("list", of: nil, listing: [other], at: 2)]
            let last = entry("read", of: own, listing: [own], at: 3)
            // Delivered twice, as the broker may.
            for _ in 1...2 { try await test.react(to: AccessRecorded(service: "clinical", entries: [first] + lists + [last])) }

            let bearer = try test.token(.patient, patient: own)
            let log = await test.send("GET", "/v1/patients/\(own)/access-log", bytes: [], bearer: bearer)
            #expect(log.items.map { $0["action"] } == ["read", "search", "create"])
            let page = await test.send("GET", "/v1/patients/\(own)/access-log?limit=2", bytes: [], bearer: bearer)
            let next = try page.json.required("nextCursor", as: String.self)
            let rest = await test.send("GET", "/v1/patients/\(own)/access-log?limit=2&cursor=\(next)", bytes: [], bearer: bearer)
            #expect(page.items.map { $0["action"] } == ["read", "search"] && rest.items.map { $0["action"] } == ["create"])
            let trail = try await test.send("GET", "/v1/reports/audit-logs?patientId=\(other)", as: .auditor)
            #expect(trail.items.map { $0["action"] } == ["list", "search"])
            #expect(try await test.auditedReads().last?["resource"] == "audit_log")
        }
    }

    @Test func `The audit trail is filtered and paged`() async throws {
        try await onReporting { test in
            for turn in 0..<5 {
                test.clock.advance(seconds: 1)
                try await test.react(
                    to: AuditRecorded(
                        data: try object(
                            #"{"service":"billing","action":"pay","resource":"invoice","resourceId":"i\#(turn % 2)","role":"reception","allowed":true,"after":{"status":"PAID"}}"#)))
            }
            let all = try await test.send("GET", "/v1/reports/audit-logs?limit=3", as: .auditor)
            #expect(all.items.count == 3)
            let cursor: String = try all.json.required("nextCursor")
            let rest = try await test.send("GET", "/v1/reports/audit-logs?limit=3&cursor=\(cursor)", as: .admin)
            #expect(rest.items.count == 2)
            #expect(rest.items.first?["after"] == .object(try object(#"{"status":"PAID"}"#)))
            let one = try await test.send("GET", "/v1/reports/audit-logs?resource=invoice&resourceId=i1", as: .admin)
            #expect(one.items.count == 2)
            #expect(try await test.send("GET", "/v1/reports/audit-logs", as: .reception).status == 403)
            let stranger = try test.token(.admin, tenant: TenantID())
            #expect(await test.send("GET", "/v1/reports/audit-logs", bytes: [], bearer: stranger).items.isEmpty)
        }
    }

    @Test func `Movements are kept once each and read newest first`() async throws {
        try await onReporting { test in
            let today = test.principal(.admin).today(at: test.clock.now)
            let medicine = MedicineID()
            for delta in [100, -15] {
                let moved = StockMoved(
                    movementID: MovementID(), batchID: BatchID(), medicineID: medicine, kind: delta > 0 ? "IN" : "OUT",
                    delta: delta, onHand: 100, reason: nil, localDate: today)
                try await test.react(to: moved)
                try await test.react(to: moved)
            }
            let answer = try await test.send("GET", "/v1/reports/stock-movements?medicineId=\(medicine)", as: .pharmacist)
            #expect(answer.items.count == 2)
            let out = try await test.send("GET", "/v1/reports/stock-movements?kind=OUT&to=\(today)", as: .admin)
            #expect(try out.items.map { try $0.required("delta", as: Int.self) } == [-15])
        }
    }
}

func onReporting(_ body: sending @escaping @LoopActor (TestHost) async throws -> Void) async throws {
    try await onLoop {
        try await TestHost.with(ReportingConfig.init(environment:), ReportingService.describe) { try await body($0) }
    }
}

private func object(_ text: String) throws -> JSONObject {
    guard case .object(let object) = try JSONValue.parse(Array(text.utf8)) else {
        throw JSONError.malformed(reason: "no object", offset: 0)
    }
    return object
}
