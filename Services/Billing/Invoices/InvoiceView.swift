import JSON
import Primitives

/// What clients see of an invoice. Always: total = paid + refunded + due, unless it was cancelled.
struct InvoiceView: JSONWritable {
    let invoice: Invoice
    var payments: [Payment]?
    var creditNotes: [CreditNote]?
    /// In lists: without lines.
    var isSummary = false

    init(
        _ invoice: Invoice, payments: [Payment]? = nil, creditNotes: [CreditNote]? = nil, isSummary: Bool = false
    ) {
        self.invoice = invoice
        self.payments = payments
        self.creditNotes = creditNotes
        self.isSummary = isSummary
    }

    func write(to json: inout JSONWriter) {
        json.object { json in
            json.field("id", invoice.id)
            json.field("number", invoice.number)
            json.field("status", invoice.status)
            json.field("mode", invoice.mode)
            json.field("visitId", invoice.visit)
            json.field("patientId", invoice.patient)
            json.field("localDate", invoice.localDate)
            json.field("createdAt", invoice.createdAt)
            json.field("issuedAt", invoice.issuedAt)
            if case .percent(let percent) = invoice.agreedDiscount { json.field("discountPercent", percent) }
            json.field("subtotal", invoice.money(invoice.totals.subtotal))
            json.field("discount", invoice.money(invoice.totals.discount))
            json.field("tax", invoice.money(invoice.totals.tax))
            json.field("total", invoice.money(invoice.totals.total))
            json.field("paid", invoice.money(invoice.kept))
            json.field("refunded", invoice.money(invoice.refunded))
            json.field("due", invoice.money(invoice.due))
            json.field("cancelledReason", invoice.cancelledReason)
            if isSummary { return }
            json.array("lines", Array(invoice.totals.lines.enumerated())) { json, line in
                json.object { line.element.members(&$0, line.offset, invoice.totals.currency) }
            }
            json.field("prescriptionIds", invoice.prescriptions)
            json.field("payments", payments?.map(PaymentView.init))
            json.field("creditNotes", creditNotes?.map(CreditNoteView.init))
        }
    }

    private static let amount = Schema.money(0...Money.limit)

    static let schema = Schema.object([
        .required("id", .id), .required("number", .text(max: 20)),
        .required("status", .choice(["DRAFT", "ISSUED", "PAID", "CANCELLED"])),
        .required("mode", .choice(["AUTO", "MANUAL"])), .required("visitId", .id), .required("patientId", .id),
        .required("localDate", .date), .required("createdAt", .instant), .optional("issuedAt", .instant),
        .optional("discountPercent", .number(0...100)), .required("subtotal", amount), .required("discount", amount),
        .required("tax", amount), .required("total", amount), .required("paid", amount, "Received and kept"),
        .required("refunded", amount), .required("due", amount), .optional("cancelledReason", .text(max: 500)),
        .optional(
            "lines",
            .list(
                of: .object([
                    .required("position", .integer(1...400)), .required("description", .text(max: 400)),
                    .optional("medicineId", .id), .optional("prescriptionItemId", .id),
                    .required("quantity", .integer(1...100_000_000)), .required("unitPrice", amount),
                    .required("taxPercent", .number(0...100)), .required("subtotal", amount),
                    .required("discount", amount), .required("tax", amount), .required("total", amount),
                ]), max: 400)),
        .optional("prescriptionIds", .list(of: .id, max: 100)),
        .optional("payments", .list(of: PaymentView.schema, max: 1000)),
        .optional("creditNotes", .list(of: CreditNoteView.schema, max: 1000)),
    ])
}

extension InvoiceTotals.Line {
    func members(_ json: inout JSONWriter, _ position: Int, _ currency: Currency) {
        json.field("position", position + 1)
        json.field("description", charge.description)
        json.field("medicineId", charge.medicine)
        json.field("prescriptionItemId", charge.prescriptionItem)
        json.field("quantity", charge.quantity)
        json.field("unitPrice", charge.unitPrice)
        json.field("taxPercent", charge.tax)
        json.field("subtotal", Money(subtotal, currency))
        json.field("discount", Money(discount, currency))
        json.field("tax", Money(tax, currency))
        json.field("total", Money(total, currency))
    }
}

struct PaymentView: JSONWritable {
    let payment: Payment

    init(_ payment: Payment) { self.payment = payment }

    func write(to json: inout JSONWriter) {
        json.object { members(&$0) }
    }

    func members(_ json: inout JSONWriter) {
        json.field("id", payment.id)
        json.field("invoiceId", payment.invoice)
        json.field("kind", payment.kind)
        json.field("method", payment.method)
        json.field("amount", payment.amount)
        json.field("at", payment.at)
    }

    static let fields: [Schema.Field] = [
        .required("id", .id), .required("invoiceId", .id), .required("kind", .choice(["PAYMENT", "REFUND"])),
        .required("method", .choice(["CASH", "CARD", "UPI"])), .required("amount", .money(1...Money.limit)),
        .required("at", .instant),
    ]
    static let schema = Schema.object(fields)
}

struct CreditNoteView: JSONWritable {
    let note: CreditNote

    init(_ note: CreditNote) { self.note = note }

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("id", note.id)
            $0.field("number", note.number)
            $0.field("invoiceId", note.invoice)
            $0.field("amount", note.amount)
            $0.field("tax", Money(note.tax, note.amount.currency))
            $0.field("reason", note.reason)
            $0.field("at", note.at)
        }
    }

    static let schema = Schema.object([
        .required("id", .id), .required("number", .text(max: 20)), .required("invoiceId", .id),
        .required("amount", .money(1...Money.limit)), .required("tax", .money(0...Money.limit)),
        .required("reason", .text(max: 500)), .required("at", .instant),
    ])
}
