import Bootstrap
import Contracts
import Messaging

extension Reaction {
    /// When a patient is erased, the answers kept for repeated requests tell nothing of them any more. Tokens stay: they
    /// hold ids and times, and the numbers of a day have no gap.
    static let forgetAnswers = Reaction(to: PatientErased.self, named: "queue.forget-answers") { erased, _, tx in
        try await IdempotentRequest.forget(erased.patientID, tx)
    }
}
