import Access
import HTTP
import JSON
import Primitives

/// What clients send and see of a batch.
extension StockRoutes {
    static let receiveDocs = Route.Docs(
        "Receive a batch",
        body: .object([
            .required("medicineId", .id), .required("lotNumber", .text(max: 60)),
            .required("expiryDate", .text(min: 7, max: 10), "The last usable day; YYYY-MM is its month's last"),
            .required("quantity", .integer(1...100_000_000)), .optional("supplier", .text(max: 200)),
            .optional("unitCost", .money(0...1_000_000_000)),
        ]),
        answers: [(201, answer)], problems: ["batch_exists", "batch_expired", "medicine_unknown"])
    static let listDocs = Route.Docs(
        "List batches, earliest expiry first",
        query: [
            .optional("medicineId", .id), .optional("limit", .integer(1...100)), .optional("cursor", .text(max: 500)),
        ],
        answers: [
            (200, .object([
                .required("items", .list(of: answer, max: 100)), .optional("nextCursor", .text(max: 500)),
            ]))
        ])
    static let showDocs = Route.Docs("Read a batch", answers: [(200, answer)])
    static let adjustDocs = Route.Docs(
        "Correct what a batch holds; If-Match is optional",
        body: .object([
            .required("delta", .integer(-100_000_000...100_000_000), "Units gained or lost; not 0"),
            .required("reason", .text(max: 500)),
        ]),
        answers: [(200, answer)], problems: ["insufficient_stock", "quantity_out_of_range"], isMergePatch: true)
    static let quarantineDocs = Route.Docs(
        "Set a batch aside, or release it",
        body: .object([.required("quarantined", .boolean), .optional("reason", .text(max: 500))]),
        answers: [(200, answer)])

    static let answer = Schema.object([
        .required("id", .id), .required("medicineId", .id), .required("lotNumber", .text(max: 60)),
        .required("expiryDate", .date), .required("receivedAt", .instant), .optional("supplier", .text(max: 200)),
        .optional("unitCost", .money(0...1_000_000_000)), .required("onHand", .integer(0...1_000_000_000)),
        .required("quarantined", .boolean), .optional("quarantineReason", .text(max: 500)),
    ])
}

extension Batch {
    var audited: JSONObject {
        JSONObject([
            ("medicineId", .string(medicine.description)), ("lotNumber", .string(lotNumber)),
            ("onHand", .int(Int64(onHand))), ("quarantined", .bool(isQuarantined)),
        ])
    }
}

struct BatchView: JSONWritable {
    let batch: Batch

    init(_ batch: Batch) { self.batch = batch }

    func write(to json: inout JSONWriter) {
        json.object { members(&$0) }
    }

    func members(_ json: inout JSONWriter) {
        json.field("id", batch.id)
        json.field("medicineId", batch.medicine)
        json.field("lotNumber", batch.lotNumber)
        json.field("expiryDate", batch.expiry)
        json.field("receivedAt", batch.receivedAt)
        json.field("supplier", batch.supplier)
        json.field("unitCost", batch.unitCost)
        json.field("onHand", batch.onHand)
        json.field("quarantined", batch.isQuarantined)
        json.field("quarantineReason", batch.quarantineReason)
    }
}

/// Where a page of batches ended: its expiry and identifier.
enum BatchCursor {
    static func read(_ request: Request) throws -> (expiry: LocalDate, id: BatchID)? {
        guard let text = try request.query.optional("cursor", as: String.self) else { return nil }
        let parts = try Cursor.decode(text)
        guard parts.count == 2, let expiry = LocalDate(parts[0]), let id = BatchID(parts[1]) else {
            throw Problem.invalid("cursor", "invalid_cursor", "Use nextCursor as it came.")
        }
        return (expiry, id)
    }

    static func next(_ found: [Batch], limit: Int) -> String? {
        guard found.count > limit, let last = found.prefix(limit).last else { return nil }
        return Cursor.encode([last.expiry.description, last.id.description])
    }
}
