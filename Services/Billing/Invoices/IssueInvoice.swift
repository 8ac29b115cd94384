import Contracts
import Loop
import Messaging
import Postgres
import Primitives

/// Makes a draft owed: by itself, or as the first half of paying it.
@LoopActor struct IssueInvoice {
    let tx: Transaction
    let store: InvoiceStore
    let now: Timestamp
    let today: LocalDate

    func run(_ invoice: inout Invoice) async throws {
        let issued = try invoice.issue(at: now, on: today)
        try await store.update(invoice)
        try await LedgerStore(sql: tx).post(.issued(invoice.totals), for: invoice, at: now, on: today)
        try tx.announce(issued, revision: invoice.version)
        // Nothing to pay: what it covers may be handed out at once.
        guard let settled = invoice.settled(on: today) else { return }
        invoice.version += 1
        try await store.update(invoice)
        try tx.announce(settled, revision: invoice.version)
    }
}
