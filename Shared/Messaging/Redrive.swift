import AMQP
import JSON
import Loop
import Postgres
import Primitives

/// Gives parked events another chance, and says in the audit trail that somebody did.
package enum Redrive {
    /// Moves up to `limit` events from a reaction's parking queue back to work, with all their attempts.
    /// Each tenant concerned gets an audit entry with the number of its events.
    @LoopActor package static func run(
        reaction name: String, limit: Int = 1000, service: String, db: Database, amqp: AMQPConfiguration
    ) async throws -> Int {
        let moved = try await Broker.move(
            from: name + ".parking", to: name, limit: limit, dropping: ["x-attempts", "x-reason", "x-delivery-count"],
            on: amqp)
        var counts: [TenantID: Int] = [:]
        for body in moved {
            // What does not read has no tenant to tell; it will be parked again.
            if let event = try? CloudEvent(body) { counts[event.envelope.tenant, default: 0] += 1 }
        }
        for (tenant, count) in counts {
            try await db.transaction(for: tenant) { tx in
                tx.context = Cause.system(tenant)
                try tx.audit("redrive", "reaction", name, after: JSONObject([("events", .int(Int64(count)))]))
            }
        }
        return moved.count
    }
}
