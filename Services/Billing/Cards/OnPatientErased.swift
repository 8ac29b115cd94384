import Bootstrap
import Contracts
import Messaging

extension Reaction {
    /// When a patient is erased, the answers kept for repeated requests tell nothing of them any more. The bills stay, and
    /// the key that opens their words: the law wants a document as it was issued.
    static let forgetAnswers = Reaction(to: PatientErased.self, named: "billing.forget-answers") { erased, _, tx in
        try await IdempotentRequest.forget(erased.patientID, tx)
    }
}
