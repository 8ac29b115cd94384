import Bootstrap
import Contracts
import Loop
import Postgres
import Messaging
import Primitives

/// Announces each reminder when its moment comes.
///
/// Every replica runs one; the claim in SQL gives each reminder to one of them.
@LoopActor struct ReminderClock {
    let host: Host
    let tick: Duration

    func run() async throws {
        while true {
            for tenant in try await host.db.systemTransaction({ try await ReminderStore(sql: $0).tenants() }) {
                try await announceDue(of: tenant)
            }
            try await EventLoop.sleep(for: tick)
        }
    }

    private func announceDue(of tenant: TenantID) async throws {
        let now = host.now()
        let cause = Cause(tenant: tenant, actor: nil, role: "service", traceparent: "")
        var claimed = 0
        repeat {
            claimed = try await host.transaction(for: tenant, as: cause) { tx in
                let due = try await ReminderStore(sql: tx).claimDue(at: now, limit: 100)
                for reminder in due { try tx.announce(reminder.fallDue(), revision: reminder.version) }
                return due.count
            }
        } while claimed == 100
    }
}
