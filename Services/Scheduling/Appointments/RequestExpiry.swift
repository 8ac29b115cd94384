import Access
import Bootstrap
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// Gives back the time of requests that nobody answered, and says so.
@LoopActor
struct RequestExpiry {
    let host: Host

    nonisolated init(host: Host) { self.host = host }

    /// Any number of replicas may run it: rows are claimed in SQL.
    nonisolated var worker: Worker {
        Worker("request-expiry", every: .seconds(30)) { try await sweep() }
    }

    func sweep() async throws {
        let now = host.now()
        for tenant in try await host.db.systemTransaction({ try await CardStore(sql: $0).tenants() }) {
            let cause = Cause(tenant: tenant, actor: nil, role: "service", traceparent: "")
            var found = 0
            repeat {
                found = try await host.transaction(for: tenant, as: cause) { tx in
                    let store = AppointmentStore(sql: tx, scope: .system(tenant))
                    var unanswered = try await store.lockUnanswered(by: now, limit: 200)
                    unanswered.sort { $0.slot < $1.slot }  // Slots are locked in this order everywhere.
                    for request in unanswered {
                        var appointment = request
                        guard let ended = appointment.expire(at: now) else { continue }
                        try await store.update(appointment)
                        try await SlotStore(sql: tx).release(appointment.slot)
                        try tx.announce(ended, revision: appointment.version)
                        try tx.audit(
                            "expire", "appointment", appointment.id.description, of: appointment.patient,
                            before: request.trace, after: appointment.trace)
                    }
                    return unanswered.count
                }
            } while found == 200
        }
    }
}
