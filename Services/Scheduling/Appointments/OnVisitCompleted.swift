import Access
import Contracts
import Loop
import Messaging
import Postgres
import Primitives

extension Reaction {
    /// When the queue closes a token, the appointment behind it is fulfilled.
    static let completeTokenAppointment = Reaction(
        to: TokenCompleted.self, named: "scheduling.complete-token-appointment"
    ) { completed, envelope, tx in
        try await fulfil(completed.appointmentID, by: nil, of: envelope.tenant, in: tx)
    }

    /// When clinical closes a visit, the appointment behind it is fulfilled, with or without a token.
    static let completeVisitAppointment = Reaction(
        to: VisitCompleted.self, named: "scheduling.complete-visit-appointment"
    ) { completed, envelope, tx in
        try await fulfil(completed.appointmentID, by: completed.visitID, of: envelope.tenant, in: tx)
    }

    @LoopActor private static func fulfil(
        _ id: AppointmentID?, by visit: VisitID?, of tenant: TenantID, in tx: Transaction
    ) async throws {
        let store = AppointmentStore(sql: tx, scope: .system(tenant))
        guard let id, var appointment = try await store.findForUpdate(id) else { return }  // A walk-in.
        let fulfilment = appointment.fulfil(by: visit)
        guard fulfilment != .alreadySo else { return }  // The other event came first.
        try await store.update(appointment)
        if case .announced(let fact) = fulfilment { try tx.announce(fact, revision: appointment.version) }
    }
}
