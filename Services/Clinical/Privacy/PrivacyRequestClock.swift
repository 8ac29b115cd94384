import Access
import Bootstrap
import Contracts
import Loop
import Messaging
import Postgres
import Primitives

/// Tells the administrators of requests whose day comes near, and those who watch of requests that are overdue. Any
/// number of replicas may run it: rows are claimed in SQL.
@LoopActor struct PrivacyRequestClock {
    let host: Host

    var worker: Worker {
        Worker("privacy-requests", every: .seconds(900)) { try await look() }
    }

    func look() async throws {
        let now = host.now()
        let today = Zone.utc.localDate(of: now)
        var open = 0
        var overdue = 0
        for tenant in try await host.keys.tenants() {
            let near = today.adding(days: PrivacyRequest.daysOfWarning)
            try await host.transaction(for: tenant, as: .system(tenant)) { tx in
                for found in try await PrivacyRequestStore(sql: tx, scope: .system(tenant)).claimNear(dueBy: near, at: now) {
                    try tx.announce(
                        PrivacyRequestRemainedOpen(
                            requestID: found.id, patientID: found.patient, kind: found.kind, dueOn: found.dueOn), revision: 2)
                }
            }
            let counts = try await PrivacyRequestStore(sql: host.db.reader(for: tenant), scope: .system(tenant)).counts(on: today)
            open += counts.open
            overdue += counts.overdue
        }
        host.gauges["polyclinic_privacy_requests_open"] =
            .init(help: "Requests about people's own records that nobody has answered.", value: Double(open))
        host.gauges["polyclinic_privacy_requests_overdue"] =
            .init(help: "Requests that the law wanted answered before today: look at GET /v1/privacy-requests.", value: Double(overdue))
    }
}
