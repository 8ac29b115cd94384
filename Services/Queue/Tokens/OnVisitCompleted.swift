import Access
import Contracts
import Loop
import Messaging
import Postgres
import Primitives

extension Reaction {
    /// When clinical closes a visit, the token behind it is over, called or not.
    static func completeToken(_ boards: Boards) -> Reaction {
        Reaction(to: VisitCompleted.self, named: "queue.complete-token") { completed, envelope, tx in
            let scope = PatientScope.system(envelope.tenant)
            guard var token = try await find(completed, scope, in: tx) else { return }  // Seen without a token.
            guard let fact = token.finish(at: completed.completedAt) else { return }  // The desk was quicker.
            try await TokenStore(sql: tx, scope: scope).update(token)
            try tx.announce(fact, revision: token.version)
            boards.changedSoon(Board.Key(token, in: envelope.tenant))
        }
    }

    @LoopActor private static func find(
        _ completed: VisitCompleted, _ scope: PatientScope, in tx: Transaction
    ) async throws -> Token? {
        let store = TokenStore(sql: tx, scope: scope)
        if let id = completed.tokenID { return try await store.findForUpdate(id) }
        guard let appointment = completed.appointmentID else { return nil }
        return try await store.findForUpdate(of: appointment)
    }
}
