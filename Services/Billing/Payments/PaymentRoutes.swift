import Access
import Bootstrap
import Contracts
import Cryptography
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// Money over HTTP: in by payments, out by refunds under a credit note.
@LoopActor struct PaymentRoutes {
    let host: Host
    /// Above this, in minor units and summed over an invoice, a refund needs an administrator.
    let refundLimit: Int64

    var table: [Route] {
        [
            .post("/v1/invoices/:id/pay", for: .takePayment, Self.payDocs, pay),
            .post("/v1/invoices/:id/refunds", for: .refund, Self.refundDocs, refund).afterStepUp(),
        ]
    }

    /// Paying a draft issues it first, in the same transaction.
    private func pay(_ request: Request, by caller: Principal) async throws -> Response {
        let id = try request.id("id", of: InvoiceKind.self)
        let method: Payment.Method = try request.body.required("method")
        let asked: Money? = try request.body.optional("amount")
        let now = host.now()
        let today = caller.today(at: now)
        let ring = try await host.keys.ring(for: caller.tenant)

        return try await host.write(request, by: caller) { tx in
            let store = InvoiceStore(sql: tx, scope: caller.deskScope, ring: ring)
            guard var invoice = try await store.findForUpdate(id) else { throw Problem.notFound("invoice") }
            let before = invoice.audited
            if invoice.status == .draft { try await IssueInvoice(tx: tx, store: store, now: now, today: today).run(&invoice) }
            let amount = try invoice.pay(asked)
            let payment = Payment(
                id: PaymentID(), invoice: id, kind: .payment, method: method, amount: invoice.money(amount),
                creditNote: nil, actor: caller.account, at: now, localDate: today)
            try await store.update(invoice)
            try await PaymentStore(sql: tx).insert(payment)
            try await LedgerStore(sql: tx).post(.paid(amount, by: method), for: invoice, at: now, on: today)
            try tx.announce(
                PaymentReceived(
                    paymentID: payment.id, invoiceID: id, method: method.rawValue, paid: payment.amount,
                    due: invoice.money(invoice.due), localDate: today),
                revision: 1)
            if let settled = invoice.settled(on: today) { try tx.announce(settled, revision: invoice.version) }
            try tx.audit("pay", "invoice", id.description, of: invoice.patient, before: before, after: invoice.audited)
            return .created(ReceiptView(payment: payment, invoice: invoice), at: "/v1/invoices/\(id)")
        }
    }

    private func refund(_ request: Request, by caller: Principal) async throws -> Response {
        let id = try request.id("id", of: InvoiceKind.self)
        let asked: Money? = try request.body.optional("amount")
        let method: Payment.Method? = try request.body.optional("method")
        let reason: String = try request.body.required("reason")
        return try await giveBack(asked, of: id, by: method, because: reason, request, caller)
    }

    private func giveBack(
        _ asked: Money?, of id: InvoiceID, by method: Payment.Method?, because reason: String, _ request: Request,
        _ caller: Principal
    ) async throws -> Response {
        let now = host.now()
        let ring = try await host.keys.ring(for: caller.tenant)
        return try await host.write(request, by: caller) { tx in
            let store = InvoiceStore(sql: tx, scope: caller.deskScope, ring: ring)
            guard var invoice = try await store.findForUpdate(id) else { throw Problem.notFound("invoice") }
            let before = invoice.audited
            if let asked, asked.currency != invoice.totals.currency { throw InvoiceError.currencyMismatch }
            let amount = asked?.amount ?? invoice.kept
            let tax = try invoice.refund(amount)
            if invoice.refunded > refundLimit {
                guard caller.has(.admin) else { throw InvoiceError.approvalRequired }
                // Who took the money is not the one who says that it may leave again.
                let payments = try await PaymentStore(sql: tx).payments(of: id)
                guard !payments.contains(where: { $0.kind == .payment && $0.actor == caller.account }) else {
                    throw InvoiceError.ownPayment
                }
            }
            let note = CreditNote(
                id: ID(), number: try await store.nextNumber("CN", year: caller.today(at: now).year), invoice: id,
                amount: invoice.money(amount), tax: tax, reason: reason, createdBy: caller.account, at: now,
                localDate: caller.today(at: now))
            let payment = try await write(note, of: invoice.patient, in: caller.tenant, ring, by: method, tx)
            try await store.update(invoice)
            try await LedgerStore(sql: tx)
                .post(.refunded(amount, tax: tax, by: payment.method), for: invoice, at: now, on: note.localDate)
            try tx.announce(
                InvoiceRefunded(
                    invoiceID: id, creditNote: note.number, refunded: note.amount, localDate: note.localDate),
                revision: invoice.version)
            try tx.audit("refund", "invoice", id.description, of: invoice.patient, before: before, after: invoice.audited)
            return .created(RefundView(note: note, payment: payment, invoice: invoice), at: "/v1/invoices/\(id)")
        }
    }

    /// Writes the credit note and its money; by the way the last payment came unless the request says another.
    private func write(
        _ note: CreditNote, of patient: PatientID, in tenant: TenantID, _ ring: KeyChain, by asked: Payment.Method?,
        _ tx: Transaction
    ) async throws -> Payment {
        let store = PaymentStore(sql: tx)
        let last = try await store.payments(of: note.invoice).last { $0.kind == .payment }
        let payment = Payment(
            id: PaymentID(), invoice: note.invoice, kind: .refund, method: asked ?? last?.method ?? .cash,
            amount: note.amount, creditNote: note.id, actor: note.createdBy, at: note.at, localDate: note.localDate)
        try await store.insert(note, of: patient, in: tenant, ring)
        try await store.insert(payment)
        return payment
    }
}

extension PaymentRoutes {
    static let payDocs = Route.Docs(
        "Take a payment: all that is due, or a part of it",
        body: .object([
            .required("method", .choice(["CASH", "CARD", "UPI"])),
            .optional("amount", .money(1...Money.limit), "All that is due when left out"),
        ]),
        answers: [(201, .object(PaymentView.fields + after))],
        problems: ["amount_exceeds_due", "invoice_paid", "invoice_cancelled", "currency_mismatch"])
    static let refundDocs = Route.Docs(
        "Give money back under a credit note",
        body: .object([
            .optional("amount", .money(1...Money.limit), "All that was paid when left out"),
            .required("reason", .text(max: 500)),
            .optional("method", .choice(["CASH", "CARD", "UPI"]), "As the last payment came when left out"),
        ]),
        answers: [
            (201, .object([
                .required("creditNote", CreditNoteView.schema), .required("refund", PaymentView.schema),
            ] + after))
        ],
        problems: [
            "amount_exceeds_paid", "approval_required", "own_payment", "invoice_draft", "invoice_cancelled", "currency_mismatch",
        ])

    private static let after: [Schema.Field] = [
        .required("invoice", .object([
            .required("id", .id), .required("number", .text(max: 20)), .required("total", .money(0...Money.limit)),
            .required("status", .choice(["ISSUED", "PAID"])), .required("paid", .money(0...Money.limit)),
            .required("refunded", .money(0...Money.limit)), .required("due", .money(0...Money.limit)),
        ]))
    ]
}

/// A payment with what it left of the invoice.
struct ReceiptView: JSONWritable {
    let payment: Payment
    let invoice: Invoice

    func write(to json: inout JSONWriter) {
        json.object {
            PaymentView(payment).members(&$0)
            $0.field("invoice", BalanceView(invoice: invoice))
        }
    }
}

struct RefundView: JSONWritable {
    let note: CreditNote
    let payment: Payment
    let invoice: Invoice

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("creditNote", CreditNoteView(note))
            $0.field("refund", PaymentView(payment))
            $0.field("invoice", BalanceView(invoice: invoice))
        }
    }
}

struct BalanceView: JSONWritable {
    let invoice: Invoice

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("id", invoice.id)
            $0.field("number", invoice.number)
            $0.field("status", invoice.status)
            $0.field("total", invoice.money(invoice.totals.total))
            $0.field("paid", invoice.money(invoice.kept))
            $0.field("refunded", invoice.money(invoice.refunded))
            $0.field("due", invoice.money(invoice.due))
        }
    }
}
