import Access
import Bootstrap
import HTTP
import JSON
import Loop
import Postgres
import Primitives

/// Whether a prescription is paid for: what the pharmacy asks before it refuses somebody.
@LoopActor struct SettlementRoutes {
    let host: Host

    var table: [Route] {
        [.get("/internal/cards/prescriptions/:id/settlement", for: .readCards, Self.docs, show)]
    }

    static let docs = Route.Docs("Whether the invoices that cover a prescription are paid")

    private func show(_ request: Request, by caller: Principal) async throws -> Response {
        let id = try request.id("id", of: PrescriptionKind.self)
        let store = InvoiceStore(
            sql: host.db.reader(for: caller.tenant), scope: caller.deskScope, ring: try await host.keys.existing(caller.tenant))
        return .json(200, Settlement(of: id, by: try await store.covering(id)))
    }
}

/// Every invoice that covers it must be paid, and not paid back in full.
struct Settlement: Equatable, JSONWritable {
    let prescription: PrescriptionID
    let invoice: InvoiceID?
    let status: String
    let paid: Bool

    /// `invoices` without the cancelled ones, newest first.
    init(of prescription: PrescriptionID, by invoices: [Invoice]) {
        let open = invoices.first { !Settlement.isSettled($0) }
        let telling = open ?? invoices.first
        self.prescription = prescription
        invoice = telling?.id
        paid = open == nil && telling != nil
        if let open, open.status == .paid { status = "REFUNDED" } else { status = telling?.status.rawValue ?? "none" }
    }

    private static func isSettled(_ invoice: Invoice) -> Bool {
        invoice.status == .paid && (invoice.totals.total == 0 || invoice.kept > 0)
    }

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("prescriptionId", prescription)
            $0.field("invoiceId", invoice)
            $0.field("status", status)
            $0.field("paid", paid)
        }
    }
}
