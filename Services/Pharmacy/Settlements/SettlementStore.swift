import Loop
import Postgres
import Primitives

/// Billing's word on whether a prescription is paid for.
@LoopActor struct SettlementStore {
    let sql: any SQLSession

    func isPaid(_ prescription: PrescriptionID) async throws -> Bool {
        try await sql.first(
            "select paid from settlement_card where prescription_id = \(prescription)",
            as: { row in try row.next(as: Bool.self) }) ?? false
    }

    func keep(_ prescription: PrescriptionID, invoice: InvoiceID?, paid: Bool) async throws {
        try await sql.run(
            """
            insert into settlement_card (prescription_id, invoice_id, paid)
            values (\(prescription), \(invoice), \(paid))
            on conflict (prescription_id) do update set invoice_id = excluded.invoice_id, paid = excluded.paid
            """)
    }

    /// Not paid as far as we know: the next dispensing asks billing again.
    func doubt(_ invoice: InvoiceID) async throws {
        try await sql.run("update settlement_card set paid = false where invoice_id = \(invoice)")
    }
}
