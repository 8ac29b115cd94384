import Bootstrap
import Loop
import Messaging
import Postgres
import Primitives

/// Forgets sessions that ended long ago and failures that no longer count.
@LoopActor struct SessionSweeper {
    let host: Host

    nonisolated var worker: Worker {
        Worker("sessions", every: .seconds(600)) { try await sweep() }
    }

    /// Replicas may sweep at once: each statement takes only rows that no other has locked.
    func sweep() async throws {
        let now = host.now()
        let tenants = try await host.db.systemTransaction { tx in
            try await LoginFailureStore(sql: tx).sweep(before: now.adding(seconds: -LoginThrottle.longestWindow))
            try await SpentChallengeStore(sql: tx).sweep(before: now)
            try await ContactRequestStore.sweep(before: now, tx)
            return try await TenantStore(sql: tx).all()
        }
        // A day is kept, so that a token that comes back late is still known as a reused one.
        for tenant in tenants {
            try await host.transaction(for: tenant, as: .system(tenant)) { tx in
                try await AttemptStore(sql: tx).sweep(before: now.adding(seconds: -86_400))
            }
            var deleted = 500
            while deleted == 500 {
                deleted = try await host.transaction(for: tenant, as: .system(tenant)) { tx in
                    try await SessionStore(sql: tx).sweep(before: now.adding(seconds: -86_400))
                }
            }
        }
    }
}
