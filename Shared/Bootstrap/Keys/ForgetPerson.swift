import Contracts
import Loop
import Messaging

extension Reaction {
    /// Destroys the key that this service keeps for an erased patient: what was sealed under it is gone.
    package static func forgetPerson(in service: String) -> Reaction {
        Reaction(to: PatientErased.self, named: "\(service).forget-person") { fact, _, tx in
            try await DataKeyStore(sql: tx).destroy(fact.patientID)
            try await IdempotentRequest.forget(fact.patientID, tx)
        }
    }
}
