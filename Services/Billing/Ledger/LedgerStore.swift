import Loop
import Postgres
import Primitives

/// Every statement that writes `ledger_entry` and `ledger_line`. The database checks the balance at commit.
@LoopActor struct LedgerStore {
    let sql: any SQLSession

    func post(_ entry: LedgerEntry, for invoice: Invoice, at now: Timestamp, on today: LocalDate) async throws {
        guard !entry.isEmpty else { return }
        let id = ID<LedgerEntry>()
        try await sql.run(
            """
            insert into ledger_entry (id, invoice_id, kind, at, local_date)
            values (\(id), \(invoice.id), \(entry.kind), \(now), \(today))
            """)
        for (position, line) in entry.lines.enumerated() {
            try await sql.run(
                """
                insert into ledger_line (entry_id, position, account, amount, currency)
                values (\(id), \(position), \(line.account), \(line.amount), \(invoice.totals.currency))
                """)
        }
    }
}
