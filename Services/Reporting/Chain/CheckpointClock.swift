import Bootstrap
import Contracts
import Cryptography
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// Signs how far each chain has come, every minute in which it grew, and takes that out of the database: a line in a
/// file that is shipped elsewhere, and an event. What a chain lost after that cannot be hidden any more.
@LoopActor struct CheckpointClock {
    let host: Host
    let key: SigningKey
    /// Where the files go: a folder of another system, or one that is shipped there.
    let folder: String
    let tick: Duration

    var worker: Worker {
        Worker("audit-checkpoints") {
            while !Task.isCancelled {
                try await signAll()
                try await EventLoop.sleep(for: tick)
            }
        }
    }

    func signAll() async throws {
        for tenant in try await AuditChainStore(sql: host.db.systemReader).tenants() { try await sign(tenant) }
    }

    private func sign(_ tenant: TenantID) async throws {
        let store = AuditChainStore(sql: host.db.reader(for: tenant))
        guard let head = try await store.head(), try await store.lastCheckpoint() < head.size else { return }
        let checkpoint = try AuditCheckpoint(
            tenant: tenant, size: head.size, head: head.head, at: host.now(), key: key)
        // Outside first: a checkpoint in the database alone would protect from nobody.
        try CheckpointFile.append(checkpoint.jsonBytes, of: tenant, in: folder)
        try await host.transaction(for: tenant, as: .system(tenant)) { tx in
            guard try await AuditChainStore(sql: tx).insert(checkpoint) else { return }  // A replica was faster.
            try tx.announce(
                AuditCheckpointed(
                    tenantID: tenant, size: Int(clamping: checkpoint.size), head: Base64URL.encode(checkpoint.head),
                    at: checkpoint.at, keyID: checkpoint.keyID, signature: Base64URL.encode(checkpoint.signature)),
                revision: 0)
        }
    }
}
