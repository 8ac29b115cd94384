import Primitives

extension Catalogue {
    /// What billing announces, with a sample of each.
    static let billing: [CatalogueEntry] = [
        CatalogueEntry(
            "An invoice is owed and can no longer be edited.",
            InvoiceIssued(
                invoiceID: Sample.id(15), visitID: Sample.id(9), patientID: Sample.id(5),
                number: "INV-2026-000123", prescriptionIDs: [Sample.id(10)], total: Sample.money,
                localDate: Sample.day)),
        CatalogueEntry(
            "Money came in.",
            PaymentReceived(
                paymentID: Sample.id(16), invoiceID: Sample.id(15), method: "CASH", paid: Sample.money,
                due: Sample.money, localDate: Sample.day)),
        CatalogueEntry(
            "Nothing is due any more: its prescriptions may be dispensed.",
            InvoicePaid(
                invoiceID: Sample.id(15), visitID: Sample.id(9), patientID: Sample.id(5),
                prescriptionIDs: [Sample.id(10)], total: Sample.money, localDate: Sample.day)),
        CatalogueEntry(
            "Money went back under a credit note.",
            InvoiceRefunded(
                invoiceID: Sample.id(15), creditNote: "CN-2026-000004", refunded: Sample.money,
                localDate: Sample.day)),
    ]
}
