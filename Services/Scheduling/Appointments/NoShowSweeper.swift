import Access
import Bootstrap
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// Writes off appointments that ended and to which nobody came, so that lists and figures are honest.
@LoopActor
struct NoShowSweeper {
    let host: Host
    let grace: Duration

    nonisolated init(host: Host, grace: Duration) {
        self.host = host
        self.grace = grace
    }

    /// Any number of replicas may run it: rows are claimed in SQL.
    var worker: Worker {
        Worker("no-show-sweeper", every: .seconds(60)) { try await sweep() }
    }

    func sweep() async throws {
        let deadline = host.now().adding(seconds: -grace.components.seconds)
        let tenants = try await host.db.systemTransaction { try await CardStore(sql: $0).tenants() }
        for tenant in tenants {
            let cause = Cause(tenant: tenant, actor: nil, role: "service", traceparent: "")
            var found = 0
            repeat {
                found = try await host.transaction(for: tenant, as: cause) { tx in
                    let missed = try await AppointmentStore(sql: tx, scope: .system(tenant))
                        .sweepNoShows(endedBefore: deadline, limit: 200)
                    for id in missed {
                        try tx.audit(
                            "miss", "appointment", id.description,
                            before: JSONObject([("status", .string("booked"))]),
                            after: JSONObject([("status", .string("noshow"))]))
                    }
                    return missed.count
                }
            } while found == 200
        }
    }
}
