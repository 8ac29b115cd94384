import Access
import Bootstrap
import Contracts
import Loop
import Messaging
import Postgres
import Primitives

/// Raises the alarm when nobody has judged a broken glass in time: a fact for those who oversee, and figures for those
/// who watch. Any number of replicas may run it: rows are claimed in SQL.
@LoopActor struct ReviewAlarm {
    let host: Host
    let within: Duration

    var worker: Worker {
        Worker("review-alarm", every: .seconds(15)) { try await look() }
    }

    func look() async throws {
        let now = host.now()
        let deadline = now.adding(seconds: -within.components.seconds)
        var waiting = 0
        var overdue = 0
        for tenant in try await host.db.systemTransaction({ try await BreakGlassStore.tenants($0) }) {
            try await host.transaction(for: tenant, as: .system(tenant)) { tx in
                for row in try await BreakGlassStore(sql: tx, scope: .system(tenant)).claimOverdue(grantedBefore: deadline, at: now) {
                    try tx.announce(
                        GlassUnreviewed(
                            grantID: row.id, patientID: row.patient, accountID: row.account,
                            grantedAt: row.grantedAt), revision: 2)
                }
            }
            let counts = try await BreakGlassStore(sql: host.db.reader(for: tenant), scope: .system(tenant)).counts(grantedBefore: deadline)
            waiting += counts.waiting
            overdue += counts.overdue
        }
        host.gauges["polyclinic_break_glass_unreviewed"] =
            .init(help: "Broken glasses that nobody has reviewed yet.", value: Double(waiting))
        host.gauges["polyclinic_break_glass_overdue"] =
            .init(help: "Broken glasses that nobody has reviewed in time: look at GET /v1/break-glass?status=overdue.", value: Double(overdue))
    }
}
