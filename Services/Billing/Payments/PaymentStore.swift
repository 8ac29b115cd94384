import Access
import Bootstrap
import Cryptography
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

    func insert(_ note: CreditNote, of patient: PatientID, in tenant: TenantID, _ ring: KeyChain) async throws {
        let vault = try await DataKeyStore(sql: sql).vaultForWriting(of: patient, in: tenant, ring)
        try await sql.run(
            """
            insert into credit_note (id, number, invoice_id, amount, tax, currency, sealed_reason, created_by, at, local_date)
            values (\(note.id), \(note.number), \(note.invoice), \(note.amount.amount), \(note.tax),
                \(note.amount.currency), \(try vault.seal(note.reason, .creditNote(note.id))), \(note.createdBy),
                \(note.at), \(note.localDate))
            """)
    }

    func payments(of invoice: InvoiceID) async throws -> [Payment] {
        try await sql.all(
            """
            select id, invoice_id, kind, method, amount, currency, credit_note_id, actor_id, at, local_date
            from payment where invoice_id = \(invoice) order by id
            """, as: Payment.init(row:))
    }

    /// As `scope` reads them: the invoice was found in it.
    func creditNotes(of invoice: Invoice, _ scope: PatientScope, _ ring: KeyChain?) async throws -> [CreditNote] {
        try await creditNotes("invoice_id = \(invoice.id)", of: invoice.patient, scope, ring, limit: 1000)
    }

    /// Those of all invoices of one patient.
    func creditNotes(ofAll patient: PatientID, _ scope: PatientScope, _ ring: KeyChain?, limit: Int) async throws -> [CreditNote] {
        try await creditNotes(
            "invoice_id in (select id from invoice where patient_id = \(patient))", of: patient, scope, ring, limit: limit)
    }

    private func creditNotes(
        _ condition: SQL, of patient: PatientID, _ scope: PatientScope, _ ring: KeyChain?, limit: Int
    ) async throws -> [CreditNote] {
        try await sql.all(
            """
            select (select wrapped from data_key where person_id = \(patient)), sealed_reason, reason,
                id, number, invoice_id, amount, currency, tax, created_by, at, local_date
            from credit_note where \(condition) order by id limit \(limit)
            """,
            as: { row in
                let words = SealedWords(of: patient, tenant: scope.tenant, wrapped: try row.next(), ring: ring, trail: scope.trail)
                let box: Bytes? = try row.next()
                let clear: String = try row.next()
                return try CreditNote(row: &row) { note in try words.open(box, .creditNote(note), else: clear) }
            })
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
    init(row: inout Row, reason: (ID<CreditNote>) throws -> String) throws {
        id = try row.next()
        number = try row.next()
        invoice = try row.next()
        let minor: Int64 = try row.next()
        amount = Money(minor, try row.next())
        tax = try row.next()
        self.reason = try reason(id)
        createdBy = try row.next()
        at = try row.next()
        localDate = try row.next()
    }
}
