import Access
import Bootstrap
import HTTP
import JSON
import Loop
import Postgres
import Primitives

/// The counter over HTTP.
@LoopActor struct DispensingRoutes {
    let host: Host
    let requiresPayment: Bool

    var table: [Route] {
        [
            .post("/v1/dispensing", for: .dispense, Self.dispenseDocs, dispense),
            .get("/v1/dispensing/:id", for: .readDispensing, Self.showDocs, show),
        ]
    }

    private func dispense(_ request: Request, by caller: Principal) async throws -> Response {
        let prescription: PrescriptionID = try request.body.required("prescriptionId")
        let asked = try Self.items(request.body)
        let operation = Dispense(host: host, requiresPayment: requiresPayment)
        let ground = try await operation.prepare(prescription, by: caller)

        return try await host.write(request, by: caller) { tx in
            let done = try await operation.run(prescription, asked, on: ground, by: caller, in: tx)
            return .created(DispensingView(done), at: "/v1/dispensing/\(done.id)")
        }
    }

    private func show(_ request: Request, by caller: Principal) async throws -> Response {
        let store = DispensingStore(sql: host.db.reader(for: caller.tenant), scope: caller.deskScope)
        guard let dispensing = try await store.find(try request.id("id")) else { throw Problem.notFound("dispensing") }
        caller.trail?.read("dispensing", dispensing.id.description, of: dispensing.patient, on: caller.ground)
        return .json(200, DispensingView(dispensing), version: 1)
    }

    /// Nil when the request leaves the items out: all that remains.
    private static func items(_ body: JSONObject) throws -> [(item: PrescriptionItemID, quantity: Int)]? {
        guard let items = try body.optional("items", as: [JSONObject].self) else { return nil }
        var asked: [(item: PrescriptionItemID, quantity: Int)] = []
        for (index, item) in items.enumerated() {
            let id: PrescriptionItemID = try item.required("prescriptionItemId")
            guard !asked.contains(where: { $0.item == id }) else {
                throw Problem.invalid("items/\(index)/prescriptionItemId", "duplicate", "Name each item once.")
            }
            asked.append((id, try item.required("quantity")))
        }
        return asked
    }
}

extension DispensingRoutes {
    static let dispenseDocs = Route.Docs(
        "Hand out a paid prescription, first expired first",
        body: .object([
            .required("prescriptionId", .id),
            .optional(
                "items",
                .list(
                    of: .object([
                        .required("prescriptionItemId", .id), .required("quantity", .integer(1...100_000_000)),
                    ]), min: 1, max: 100), "All that remains when left out"),
        ]),
        answers: [(201, answer)],
        problems: [
            "already_dispensed", "insufficient_stock", "invoice_unpaid", "own_prescription", "prescription_expired",
            "prescription_not_active", "prescription_unknown", "prescription_item_unknown",
            "quantity_exceeds_prescription",
        ])
    static let showDocs = Route.Docs("Read what was handed out", answers: [(200, answer)])

    private static let answer = Schema.object([
        .required("id", .id), .required("prescriptionId", .id), .required("patientId", .id),
        .required("complete", .boolean, "Nothing of the prescription remains"), .required("dispensedBy", .id),
        .required("at", .instant),
        .required(
            "lines",
            .list(
                of: .object([
                    .required("prescriptionItemId", .id), .required("medicineId", .id), .required("batchId", .id),
                    .required("lotNumber", .text(max: 60)), .required("expiryDate", .date),
                    .required("quantity", .integer(1...100_000_000)),
                ]), max: 10_000)),
    ])
}

extension Dispensing {
    var audited: JSONObject {
        JSONObject([
            ("prescriptionId", .string(prescription.description)), ("complete", .bool(complete)),
            ("lines", .int(Int64(lines.count))),
            ("quantity", .int(Int64(lines.reduce(0) { $0 + $1.quantity }))),
        ])
    }
}

struct DispensingView: JSONWritable {
    let dispensing: Dispensing

    init(_ dispensing: Dispensing) { self.dispensing = dispensing }

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("id", dispensing.id)
            $0.field("prescriptionId", dispensing.prescription)
            $0.field("patientId", dispensing.patient)
            $0.field("complete", dispensing.complete)
            $0.field("dispensedBy", dispensing.dispensedBy)
            $0.field("at", dispensing.at)
            $0.array("lines", dispensing.lines) { json, line in
                json.object {
                    $0.field("prescriptionItemId", line.item)
                    $0.field("medicineId", line.medicine)
                    $0.field("batchId", line.batch)
                    $0.field("lotNumber", line.lotNumber)
                    $0.field("expiryDate", line.expiry)
                    $0.field("quantity", line.quantity)
                }
            }
        }
    }
}

/// The one place where the counter's refusals become HTTP.
extension DispensingError: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .prescriptionUnknown:
            .refused("prescription_unknown", "There is no such prescription.")
        case .prescriptionNotActive:
            .refused("prescription_not_active", "The prescription was withdrawn. Ask the doctor.")
        case .prescriptionExpired:
            .refused("prescription_expired", "The prescription is no longer valid. Ask the doctor for a new one.")
        case .invoiceUnpaid:
            .refused("invoice_unpaid", "The prescription's invoice is not paid. Send the patient to the till first.")
        case .itemUnknown:
            .refused("prescription_item_unknown", "The prescription has no such item.")
        case .exceedsPrescription:
            .refused("quantity_exceeds_prescription", "More was asked for than remains of the prescription.")
        case .ownPrescription:
            Problem(403, "own_prescription", "Somebody else must hand out what you prescribed.")
        case .alreadyDispensed:
            .conflict("already_dispensed", "Everything of this prescription has been handed out.")
        }
    }
}
