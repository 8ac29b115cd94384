import Access
import Bootstrap
import Contracts
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// Invoices over HTTP: written by the till, read by it and by the patient who owes.
@LoopActor struct InvoiceRoutes {
    let host: Host
    /// What a line is taxed at when it does not say.
    let defaultTax: Percent

    var table: [Route] {
        [
            .post("/v1/invoices", for: .invoice, Self.createDocs, create),
            .get("/v1/invoices", for: .readInvoices, Self.listDocs, list),
            .get("/v1/invoices/:id", for: .readInvoices, Self.showDocs, show),
            .patch("/v1/invoices/:id", for: .invoice, Self.editDocs, edit),
            .post("/v1/invoices/:id/issue", for: .invoice, Self.issueDocs, issue),
            .post("/v1/invoices/:id/cancel", for: .invoice, Self.cancelDocs, cancel),
        ]
    }

    private func create(_ request: Request, by caller: Principal) async throws -> Response {
        let mode: Invoice.Mode = try request.body.required("mode")
        let own = try ChargeReader(defaultTax: defaultTax).charges(request.body) ?? []
        let discount = try ChargeReader.discount(request.body) ?? .none
        let ground = try await Ground(mode, of: try request.body.required("visitId"), host: host, by: caller)
        let totals = try InvoiceTotals(ground.charges + own, less: discount, in: caller.currency)
        let now = host.now()
        let today = caller.today(at: now)
        let ring = try await host.keys.ring(for: caller.tenant)

        return try await host.write(request, by: caller) { tx in
            let store = InvoiceStore(sql: tx, scope: caller.deskScope, ring: ring)
            try await ground.keep(in: tx)
            let invoice = Invoice(
                id: InvoiceID(), number: try await store.nextNumber("INV", year: today.year),
                visit: ground.visit.visit, patient: ground.visit.patient, location: ground.visit.location,
                mode: mode, createdBy: caller.account, createdAt: now, prescriptions: ground.prescriptions,
                agreedDiscount: discount, totals: totals, localDate: today)
            try await store.insert(invoice)
            try tx.audit("create", "invoice", invoice.id.description, of: invoice.patient, after: invoice.audited)
            return .created(InvoiceView(invoice), version: invoice.version, at: "/v1/invoices/\(invoice.id)")
        }
    }

    private func list(_ request: Request, by caller: Principal) async throws -> Response {
        let limit: Int = try request.query.optional("limit") ?? 50
        var before: InvoiceID?
        if let text = try request.query.optional("cursor", as: String.self) {
            before = try Cursor.decode(text).first.flatMap { InvoiceID($0) }
            guard before != nil else { throw Problem.invalid("cursor", "invalid_cursor", "Use nextCursor as it came.") }
        }
        let filter = InvoiceFilter(
            visit: try request.query.optional("visitId"), patient: try request.query.optional("patientId"),
            status: try request.query.optional("status"))
        let ring = try await host.keys.existing(caller.tenant)
        let found = try await InvoiceStore(sql: host.db.reader(for: caller.tenant), scope: caller.deskScope, ring: ring)
            .page(filter, before: before, limit: limit + 1)
        let shown = found.prefix(limit)
        caller.trail?.listed("invoice_list", shown.map(\.patient))
        let next = found.count > limit ? shown.last.map { Cursor.encode([$0.id.description]) } : nil
        return .page(shown.map { InvoiceView($0, isSummary: true) }, next: next, of: request)
    }

    private func show(_ request: Request, by caller: Principal) async throws -> Response {
        let reader = host.db.reader(for: caller.tenant)
        let ring = try await host.keys.existing(caller.tenant)
        let store = InvoiceStore(sql: reader, scope: caller.deskScope, ring: ring)
        let id: InvoiceID = try request.id("id")
        guard let invoice = try await store.find(id) else {
            // Whose it is goes into the trail; the caller is told that there is no such thing.
            caller.trail?.refuse(
                try await InvoiceStore(sql: reader, scope: .system(caller.tenant), ring: ring).find(id)?.patient)
            throw Problem.notFound("invoice")
        }
        caller.trail?.read("invoice", invoice.id.description, of: invoice.patient, on: caller.ground)
        let payments = PaymentStore(sql: reader)
        let view = InvoiceView(
            invoice, payments: try await payments.payments(of: invoice.id),
            creditNotes: try await payments.creditNotes(of: invoice, caller.deskScope, ring))
        return .json(200, view, version: invoice.version)
    }

    private func edit(_ request: Request, by caller: Principal) async throws -> Response {
        let expected = try request.ifMatch()
        let own = try ChargeReader(defaultTax: defaultTax).charges(request.body)
        let discount = try ChargeReader.discount(request.body)

        return try await change(request, by: caller, "update") { invoice, store, _ in
            guard invoice.version == expected else { throw Problem.staleVersion }
            // What was prescribed stays; the rest is replaced when the request has lines.
            let charges = invoice.totals.lines.map(\.charge)
            let kept = own.map { new in charges.filter { $0.prescriptionItem != nil } + new } ?? charges
            try invoice.edit(kept, less: discount ?? invoice.agreedDiscount)
            try await store.rewrite(invoice)
        }
    }

    private func issue(_ request: Request, by caller: Principal) async throws -> Response {
        try await change(request, by: caller, "issue") { invoice, store, tx in
            try await IssueInvoice(tx: tx, store: store, now: host.now(), today: caller.today(at: host.now())).run(&invoice)
        }
    }

    private func cancel(_ request: Request, by caller: Principal) async throws -> Response {
        let reason: String? = try request.body.optional("reason")
        return try await change(request, by: caller, "cancel") { invoice, store, tx in
            let wasOwed = invoice.status == .issued
            let reversal = LedgerEntry.cancelled(invoice)
            try invoice.cancel(reason)
            try await store.update(invoice)
            guard wasOwed else { return }
            let now = host.now()
            try await LedgerStore(sql: tx).post(reversal, for: invoice, at: now, on: caller.today(at: now))
        }
    }

    /// One change of an existing invoice: locked, changed, audited, answered.
    private func change(
        _ request: Request, by caller: Principal, _ action: String,
        _ body: @LoopActor (inout Invoice, InvoiceStore, Transaction) async throws -> Void
    ) async throws -> Response {
        let id = try request.id("id", of: InvoiceKind.self)
        let ring = try await host.keys.ring(for: caller.tenant)
        return try await host.write(request, by: caller) { tx in
            let store = InvoiceStore(sql: tx, scope: caller.deskScope, ring: ring)
            guard var invoice = try await store.findForUpdate(id) else { throw Problem.notFound("invoice") }
            let before = invoice.audited
            try await body(&invoice, store, tx)
            try tx.audit(action, "invoice", id.description, of: invoice.patient, before: before, after: invoice.audited)
            return .json(200, InvoiceView(invoice), version: invoice.version)
        }
    }
}

/// The one place where the till's refusals become HTTP.
extension InvoiceError: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .visitUnknown: .refused("visit_unknown", "There is no such visit.")
        case .medicineUnknown: .refused("medicine_unknown", "A prescribed medicine has no price in the catalogue.")
        case .nothingToBill: .refused("nothing_to_bill", "Nothing was prescribed and no line was sent.")
        case .exists: .conflict("invoice_exists", "The visit has an AUTO invoice. Cancel it first, or bill MANUAL.")
        case .currencyMismatch: .refused("currency_mismatch", "All amounts are in the currency of your location.")
        case .discountExceedsSubtotal: .refused("discount_exceeds_subtotal", "The discount is more than the subtotal.")
        case .amountOutOfRange: .refused("amount_out_of_range", "The amount is more than an invoice can hold.")
        case .draft: .conflict("invoice_draft", "The invoice is a draft. Issue it first.")
        case .issued: .conflict("invoice_issued", "An issued invoice is not edited. Cancel it or write a credit note.")
        case .paid: .conflict("invoice_paid", "The invoice is paid.")
        case .cancelled: .conflict("invoice_cancelled", "The invoice is cancelled.")
        case .exceedsDue: .refused("amount_exceeds_due", "The amount is more than what is due.")
        case .exceedsPaid: .refused("amount_exceeds_paid", "The amount is more than what was paid and kept.")
        case .hasPayments: .conflict("invoice_has_payments", "Money was paid. Refund it first.")
        case .approvalRequired:
            Problem(403, "approval_required", "A refund of this size needs an administrator.")
        case .ownPayment:
            Problem(403, "own_payment", "You took this payment. A refund of this size needs another administrator.")
        }
    }
}
