import Bootstrap
import Contracts
import Messaging

extension Reaction {
    /// When a patient is erased, the answers kept for repeated requests tell nothing of them any more. What left the shelf
    /// stays on the books.
    static let forgetAnswers = Reaction(to: PatientErased.self, named: "pharmacy.forget-answers") { erased, _, tx in
        try await IdempotentRequest.forget(erased.patientID, tx)
    }
}
