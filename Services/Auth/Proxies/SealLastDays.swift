import Bootstrap
import Loop
import Messaging
import Postgres

/// Seals the last days of grants that were made before those were sealed: some at a time, while everything runs. It does
/// nothing ever after.
@LoopActor struct SealLastDays {
    let host: Host
    let vaults: Vaults

    nonisolated var worker: Worker {
        Worker("seal-last-days", every: .seconds(3600)) { try await sweep() }
    }

    func sweep() async throws {
        for tenant in try await host.keys.tenants() {
            while try await host.transaction(for: tenant, as: .system(tenant), { tx in
                let store = ProxyGrantStore(sql: tx, vault: try await vaults.vault(of: tenant, tx))
                let grants = try await store.unsealed(limit: 200)
                for grant in grants { try await store.seal(grant) }
                return !grants.isEmpty
            }) {}
        }
    }
}
