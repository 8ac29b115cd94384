import Contracts
import Messaging

extension Reaction {
    /// When a visit begins, the till knows whose it is.
    static let rememberVisit = Reaction(to: VisitStarted.self, named: "billing.remember-visit") { started, _, tx in
        try await CardStore(sql: tx).keep(
            VisitCard(visit: started.visitID, patient: started.patientID, location: started.locationID))
    }

    /// When the catalogue lists or changes a medicine, the till charges the new price from then on.
    static let rememberMedicine = Reaction(
        to: MedicineListed.self, named: "billing.remember-medicine"
    ) { listed, envelope, tx in
        try await CardStore(sql: tx).keep(MedicineCard(listed), revision: envelope.revision)
    }
}
