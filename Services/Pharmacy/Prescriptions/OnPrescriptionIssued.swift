import Access
import Contracts
import Messaging

extension Reaction {
    /// When clinical issues a prescription, the counter keeps what it must hand out.
    static let rememberPrescription = Reaction(
        to: PrescriptionIssued.self, named: "pharmacy.remember-prescription"
    ) { issued, envelope, tx in
        try await PrescriptionCardStore(sql: tx, scope: .system(envelope.tenant)).keep(PrescriptionCard(issued))
    }
}
