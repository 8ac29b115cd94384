import Loop
import Postgres
import Primitives

/// Every statement that touches `payment` and `credit_note`. There is no update: money moved or it did not.
@LoopActor struct PaymentStore {
    let sql: any SQLSession

    func insert(_ payment: Payment) async throws {
        try await sql.run(
            """
            insert into payment (id, invoice_id, kind, method, amount, currency, credit_note_id, actor_id, at,
                local_date)
            values (\(payment.id), \(payment.invoice), \(payment.kind), \(payment.method),
                \(payment.amount.amount), \(payment.amount.currency), \(payment.creditNote), \(payment.actor),
                \(payment.at), \(payment.localDate))
            """)
    }

    func insert(_ note: CreditNote) async throws {
        try await sql.run(
            """
            insert into credit_note (id, number, invoice_id, amount, tax, currency, reason, created_by, at, local_date)
            values (\(note.id), \(note.number), \(note.invoice), \(note.amount.amount), \(note.tax),
                \(note.amount.currency), \(note.reason), \(note.createdBy), \(note.at), \(note.localDate))
            """)
    }

    func payments(of invoice: InvoiceID) async throws -> [Payment] {
        try await sql.all(
            """
            select id, invoice_id, kind, method, amount, currency, credit_note_id, actor_id, at, local_date
            from payment where invoice_id = \(invoice) order by id
            """, as: Payment.init(row:))
    }

    func creditNotes(of invoice: InvoiceID) async throws -> [CreditNote] {
        try await sql.all(
            """
            select id, number, invoice_id, amount, currency, tax, reason, created_by, at, local_date
            from credit_note where invoice_id = \(invoice) order by id
            """, as: CreditNote.init(row:))
    }
}

extension Payment {
    init(row: inout Row) throws {
        id = try row.next()
        invoice = try row.next()
        kind = try row.next()
        method = try row.next()
        let minor: Int64 = try row.next()
        amount = Money(minor, try row.next())
        creditNote = try row.next()
        actor = try row.next()
        at = try row.next()
        localDate = try row.next()
    }
}

extension CreditNote {
    init(row: inout Row) throws {
        id = try row.next()
        number = try row.next()
        invoice = try row.next()
        let minor: Int64 = try row.next()
        amount = Money(minor, try row.next())
        tax = try row.next()
        reason = try row.next()
        createdBy = try row.next()
        at = try row.next()
        localDate = try row.next()
    }
}
