import Access
import JSON
import Primitives

/// What clients send of an invoice.
extension InvoiceRoutes {
    private static let lines = Schema.list(
        of: .object([
            .required("description", .text(max: 200)), .required("quantity", .integer(1...1_000_000)),
            .required("unitPrice", .money(0...1_000_000_000), "Before tax"),
            .optional("taxPercent", .number(0...100), "At most two decimals"),
        ]), max: 200)

    private static let discount = Schema.object([
        .optional("percent", .number(0...100), "At most two decimals"),
        .optional("amount", .money(0...Money.limit)),
    ])

    static let createDocs = Route.Docs(
        "Bill a visit: AUTO takes what was prescribed at catalogue prices, MANUAL what the lines say",
        body: .object([
            .required("visitId", .id), .required("mode", .choice(["AUTO", "MANUAL"])),
            .optional("lines", lines, "In AUTO they come on top of the prescription"),
            .optional("discount", discount, "Either a percent or an amount; it comes off before tax"),
        ]),
        answers: [(201, InvoiceView.schema)],
        problems: [
            "invoice_exists", "nothing_to_bill", "visit_unknown", "medicine_unknown", "currency_mismatch",
            "discount_exceeds_subtotal", "amount_out_of_range",
        ])
    static let listDocs = Route.Docs(
        "List invoices, newest first; patients see their own",
        query: [
            .optional("visitId", .id), .optional("patientId", .id),
            .optional("status", .choice(["DRAFT", "ISSUED", "PAID", "CANCELLED"])),
            .optional("limit", .integer(1...100)), .optional("cursor", .text(max: 500)),
        ],
        answers: [
            (200, .object([
                .required("items", .list(of: InvoiceView.schema, max: 100)), .optional("nextCursor", .text(max: 500)),
            ]))
        ])
    static let showDocs = Route.Docs("Read an invoice with its payments", answers: [(200, InvoiceView.schema)])
    static let editDocs = Route.Docs(
        "Change a draft; needs If-Match",
        body: .object([
            .optional("lines", lines, "Replace all lines that did not come from a prescription"),
            .optional("discount", .nullable(discount)),
        ]),
        answers: [(200, InvoiceView.schema)],
        problems: [
            "invoice_issued", "invoice_paid", "invoice_cancelled", "nothing_to_bill", "currency_mismatch",
            "discount_exceeds_subtotal", "amount_out_of_range",
        ], isMergePatch: true)
    static let issueDocs = Route.Docs(
        "Issue a draft: from then on it is owed and not edited", answers: [(200, InvoiceView.schema)],
        problems: ["invoice_issued", "invoice_paid", "invoice_cancelled"])
    static let cancelDocs = Route.Docs(
        "Cancel an invoice that holds nobody's money", body: .object([.optional("reason", .text(max: 500))]),
        answers: [(200, InvoiceView.schema)], problems: ["invoice_has_payments", "invoice_paid", "invoice_cancelled"])
}

extension Invoice {
    /// What the audit trail keeps: state and amounts.
    var audited: JSONObject {
        JSONObject([
            ("status", .string(status.rawValue)), ("number", .string(number)), ("total", .int(totals.total)),
            ("discount", .int(totals.discount)), ("received", .int(received)), ("refunded", .int(refunded)),
            ("currency", .string(totals.currency.code)),
        ])
    }
}
