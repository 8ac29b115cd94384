import Access
import Bootstrap
import Cryptography
import Loop
import Postgres
import Primitives

/// Every statement that touches `invoice`, its lines and its numbers.
@LoopActor struct InvoiceStore {
    let sql: any SQLSession
    let scope: PatientScope
    /// The clinic's keys, for what is written in words: asked for before a transaction. Nil while it has sealed nothing.
    let ring: KeyChain?

    private static let columns = """
        id, number, visit_id, patient_id, location_id, mode, created_by, created_at, status,
        discount_basis_points, discount_amount, currency, subtotal, discount, tax, received, refunded,
        local_date, issued_at, cancelled_reason, version, sealed_cancelled_reason,
        (select wrapped from data_key where person_id = patient_id)
        """

    /// The next number of the series in that year. The counter's row stays locked until the end of the
    /// transaction, so a number is taken if and only if its document exists: call it late.
    func nextNumber(_ series: String, year: Int) async throws -> String {
        let last = try await sql.first(
            """
            insert into invoice_counter (series, year, last) values (\(series), \(year), 1)
            on conflict (tenant_id, series, year) do update set last = invoice_counter.last + 1
            returning last
            """, as: { row in try row.next(as: Int.self) })
        guard let last else { throw PostgresError(.server, message: "the counter returned no row") }
        let digits = String(last)
        return "\(series)-\(year)-\(String(repeating: "0", count: max(0, 6 - digits.utf8.count)))\(digits)"
    }

    func insert(_ invoice: Invoice) async throws {
        let (percent, amount) = invoice.agreedDiscount.columns
        _ = try await onConstraint("invoice_one_auto_per_visit", throw: InvoiceError.exists) {
            try await sql.run(
                """
                insert into invoice (id, number, visit_id, patient_id, location_id, mode, created_by, created_at,
                    status, discount_basis_points, discount_amount, currency, subtotal, discount, tax, total,
                    local_date, version)
                values (\(invoice.id), \(invoice.number), \(invoice.visit), \(invoice.patient), \(invoice.location),
                    \(invoice.mode), \(invoice.createdBy), \(invoice.createdAt), \(invoice.status), \(percent),
                    \(amount), \(invoice.totals.currency), \(invoice.totals.subtotal), \(invoice.totals.discount),
                    \(invoice.totals.tax), \(invoice.totals.total), \(invoice.localDate), \(invoice.version))
                """)
        }
        try await insertLines(of: invoice)
        for prescription in invoice.prescriptions {
            try await sql.run(
                """
                insert into invoice_prescription (invoice_id, prescription_id) values (\(invoice.id), \(prescription))
                """)
        }
    }

    /// Writes a draft whole, lines included; the caller holds its row.
    func rewrite(_ invoice: Invoice) async throws {
        let (percent, amount) = invoice.agreedDiscount.columns
        try await sql.run("delete from invoice_line where invoice_id = \(invoice.id)")
        try await sql.run(
            """
            update invoice set discount_basis_points = \(percent), discount_amount = \(amount),
                subtotal = \(invoice.totals.subtotal), discount = \(invoice.totals.discount),
                tax = \(invoice.totals.tax), total = \(invoice.totals.total), version = \(invoice.version)
            where id = \(invoice.id)
            """)
        try await insertLines(of: invoice)
    }

    /// Writes what may change of an issued invoice; the caller holds its row.
    func update(_ invoice: Invoice) async throws {
        var reason: Bytes?
        if let text = invoice.cancelledReason {
            reason = try await vault(of: invoice.patient).seal(text, .cancellation(invoice.id))
        }
        try await sql.run(
            """
            update invoice set status = \(invoice.status), received = \(invoice.received),
                refunded = \(invoice.refunded), local_date = \(invoice.localDate), issued_at = \(invoice.issuedAt),
                cancelled_reason = null, sealed_cancelled_reason = \(reason), version = \(invoice.version)
            where id = \(invoice.id)
            """)
    }

    func find(_ id: InvoiceID) async throws -> Invoice? {
        try await read("select \(unsafe: Self.columns) from invoice where id = \(id) and \(scope.clause("patient_id"))")
    }

    /// Concurrent payments of one invoice wait here: whoever comes second finds less due.
    func findForUpdate(_ id: InvoiceID) async throws -> Invoice? {
        try await read("select \(unsafe: Self.columns) from invoice where id = \(id) and \(scope.clause("patient_id")) for update")
    }

    /// Newest first, without lines.
    func page(_ filter: InvoiceFilter, before: InvoiceID?, limit: Int) async throws -> [Invoice] {
        try await sql.all(
            """
            select \(unsafe: Self.columns) from invoice
            where \(scope.clause("patient_id")) and (\(filter.visit)::uuid is null or visit_id = \(filter.visit)::uuid)
                and (\(filter.patient)::uuid is null or patient_id = \(filter.patient)::uuid)
                and (\(filter.status)::text is null or status = \(filter.status)::text)
                and (\(before)::uuid is null or id < \(before)::uuid)
            order by id desc
            limit \(limit)
            """, as: { row in try found(&row).invoice })
    }

    /// The invoices that cover a prescription, cancelled ones left out, newest first and without lines.
    func covering(_ prescription: PrescriptionID) async throws -> [Invoice] {
        try await sql.all(
            """
            select \(unsafe: Self.columns) from invoice
            where id in (select invoice_id from invoice_prescription where prescription_id = \(prescription))
                and \(scope.clause("patient_id")) and status <> 'CANCELLED'
            order by id desc limit 20
            """, as: { row in try found(&row).invoice })
    }

    private func insertLines(of invoice: Invoice) async throws {
        let vault = try await vault(of: invoice.patient)
        for (position, line) in invoice.totals.lines.enumerated() {
            try await sql.run(
                """
                insert into invoice_line (invoice_id, position, sealed_description, medicine_id, prescription_item_id,
                    quantity, unit_price, tax_basis_points, subtotal, discount, tax, total)
                values (\(invoice.id), \(position),
                    \(try vault.seal(line.charge.description, .line(invoice.id, position: position))), \(line.charge.medicine),
                    \(line.charge.prescriptionItem), \(line.charge.quantity), \(line.charge.unitPrice.amount),
                    \(line.charge.tax.basisPoints), \(line.subtotal), \(line.discount), \(line.tax), \(line.total))
                """)
        }
    }

    private func read(_ statement: SQL) async throws -> Invoice? {
        guard let (found, words) = try await sql.first(statement, as: { row in try found(&row) }) else { return nil }
        var invoice = found
        let currency = invoice.totals.currency
        let lines = try await sql.all(
            """
            select position, sealed_description, description, medicine_id, prescription_item_id, quantity, unit_price,
                tax_basis_points, subtotal, discount, tax
            from invoice_line where invoice_id = \(invoice.id) order by position
            """,
            as: { row in
                let place = InvoiceWords.line(invoice.id, position: try row.next())
                let text = try words.open(try row.next(), place, else: try row.next())
                return try InvoiceTotals.Line(text, row: &row, currency)
            })
        invoice.totals = InvoiceTotals(stored: invoice.totals, lines: lines)
        invoice.prescriptions = try await sql.all(
            "select prescription_id from invoice_prescription where invoice_id = \(invoice.id) order by 1",
            as: { row in try row.next(as: PrescriptionID.self) })
        return invoice
    }

    /// An invoice without its lines, and what opens the words on it.
    private func found(_ row: inout Row) throws -> (invoice: Invoice, words: SealedWords) {
        var invoice = try Invoice(row: &row)
        let reason: Bytes? = try row.next()
        let words = SealedWords(of: invoice.patient, tenant: scope.tenant, wrapped: try row.next(), ring: ring, trail: scope.trail)
        if let reason { invoice.cancelledReason = try words.open(reason, .cancellation(invoice.id), else: "") }
        return (invoice, words)
    }

    private func vault(of patient: PatientID) async throws -> PatientVault {
        guard let ring else { throw VaultFailure.noKey }
        return try await DataKeyStore(sql: sql).vaultForWriting(of: patient, in: scope.tenant, ring)
    }
}

struct InvoiceFilter {
    var visit: VisitID?
    var patient: PatientID?
    var status: Invoice.Status?
}
