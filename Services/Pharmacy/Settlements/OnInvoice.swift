import Contracts
import Messaging

extension Reaction {
    /// When an invoice is paid, its prescriptions may be handed out without asking the till.
    static let rememberSettlement = Reaction(
        to: InvoicePaid.self, named: "pharmacy.remember-settlement"
    ) { paid, _, tx in
        for prescription in paid.prescriptionIDs {
            try await SettlementStore(sql: tx).keep(prescription, invoice: paid.invoiceID, paid: true)
        }
    }

    /// After a refund only billing can say whether what is left is paid. This may come before the payment's own
    /// fact and be overtaken by it; the till refuses to pay back what has been handed out, people do not.
    static let doubtSettlement = Reaction(
        to: InvoiceRefunded.self, named: "pharmacy.doubt-settlement"
    ) { refunded, _, tx in
        try await SettlementStore(sql: tx).doubt(refunded.invoiceID)
    }
}
