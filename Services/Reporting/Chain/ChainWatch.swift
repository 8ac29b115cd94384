import Access
import Bootstrap
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// Follows every chain once a night, against the newest checkpoints that the database and the folder have, looks for what
/// the services counted out and the trail has not, and raises the alarm: a figure for those who watch, an error in the log,
/// and an entry that the tenant's auditors find.
@LoopActor struct ChainWatch {
    let host: Host
    let keys: KeySet
    /// Where checkpoints are taken; without it only the database's own are known.
    let folder: String?
    let tick: Duration

    /// After a start it waits a little, so that a restart at noon does not cost a night's work at noon's busiest minute.
    private static let pause = Duration.seconds(60)

    var worker: Worker {
        Worker("audit-verification") {
            try await EventLoop.sleep(for: min(Self.pause, tick))
            while !Task.isCancelled {
                try await verifyAll()
                try await EventLoop.sleep(for: tick)
            }
        }
    }

    @discardableResult func verifyAll() async throws -> Int {
        var broken = 0
        var lacking = 0
        for tenant in try await AuditChainStore(sql: host.db.systemReader).tenants() {
            do {
                try await verify(tenant)
            } catch let found as AuditChain.Break {
                broken += 1
                try await tell("audit chain broken", "find_broken", found.description, of: tenant)
            }
            let gaps = try await AuditCount(sql: host.db.reader(for: tenant)).gaps()
            lacking += gaps.count
            // One entry a night says that there are some and which is the first: the verifier names them all.
            if let first = gaps.first { try await tell("audit trail lacks entries", "find_lacking", first.description, of: tenant) }
        }
        host.gauges["polyclinic_audit_chains_broken"] =
            .init(help: "Audit chains that were changed or cut: run `reporting verify-audit`.", value: Double(broken))
        host.gauges["polyclinic_audit_facts_lacking"] =
            .init(help: "Audit facts that left a service and never came, or counts of them: run `reporting verify-audit`.",
                value: Double(lacking))
        host.gauges["polyclinic_audit_verified_timestamp_seconds"] =
            .init(help: "When all audit chains were last followed to their ends.",
                value: Double(host.now().microseconds / 1_000_000))
        return broken
    }

    private func verify(_ tenant: TenantID) async throws {
        let kept = try await AuditChainStore(sql: host.db.reader(for: tenant)).newestCheckpoint(of: tenant)
        var signed: [Int64: [UInt8]] = [:]
        for checkpoint in [kept, folder.flatMap { CheckpointFile.last(of: tenant, in: $0) }].compactMap({ $0 }) {
            guard checkpoint.isSigned(by: keys) else { throw AuditChain.Break.unsigned(size: checkpoint.size) }
            // Two that say different things of the same size cannot both be right.
            if let other = signed[checkpoint.size], other != checkpoint.head {
                throw AuditChain.Break.rewritten(upTo: checkpoint.size)
            }
            signed[checkpoint.size] = checkpoint.head
        }
        _ = try await VerifyAudit(host: host, keys: keys).follow(tenant, signed, isPatient: true)
    }

    private func tell(_ message: StaticString, _ action: String, _ found: String, of tenant: TenantID) async throws {
        host.log.write(.error, message, ("tenant", tenant.description), ("found", found))
        try await host.transaction(for: tenant, as: .system(tenant)) { tx in
            try tx.audit(
                action, "audit_chain", tenant.description, after: JSONObject([("found", .string(found))]))
        }
    }
}
