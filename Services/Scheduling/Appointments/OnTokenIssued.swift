import Access
import Contracts
import Messaging
import Postgres
import Primitives

extension Reaction {
    /// When the queue gives a patient a token, the appointment behind it has arrived.
    static let markArrived = Reaction(to: TokenIssued.self, named: "scheduling.mark-arrived") { issued, envelope, tx in
        guard let id = issued.appointmentID else { return }  // A walk-in: nothing was booked.
        let store = AppointmentStore(sql: tx, scope: .system(envelope.tenant))
        guard var appointment = try await store.findForUpdate(id) else { return }
        guard let arrived = appointment.arrive(with: issued.tokenID) else { return }
        try await store.update(appointment)
        try tx.announce(arrived, revision: appointment.version)
    }
}
