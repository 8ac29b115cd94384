import Access
import Bootstrap
import Cryptography
import Loop
import Postgres
import Primitives

/// `reporting verify-audit [--tenant ID] [--checkpoint FILE]`: follows every chain from its first entry and names the
/// first that is changed, missing or out of place, then what left a service and never came. With the checkpoints that were taken elsewhere it also sees what
/// was cut off the end, and a chain that was written anew.
@LoopActor struct VerifyAudit {
    let host: Host
    /// Whose checkpoints count: every key that ever signed here. Public keys do, so whoever verifies can sign nothing.
    let keys: KeySet

    private static let page = 2_000

    var command: Command {
        Command("verify-audit", help: "follow the audit chains to the first broken entry: [--tenant ID] [--checkpoint FILE]") {
            try await run($0)
        }
    }

    func run(_ arguments: [String]) async throws -> Int32 {
        guard let order = Self.read(arguments) else {
            print("usage: reporting verify-audit [--tenant ID] [--checkpoint FILE]")
            return 64
        }
        var signed: [TenantID: [Int64: [UInt8]]] = [:]
        var isWhole = true
        if let path = order.checkpoint {
            guard keys.count > 0 else {
                print("AUDIT_PUBLIC_KEYS_FILE or AUDIT_SIGNING_KEY_FILE says who signs checkpoints; neither is set")
                return 1
            }
            // A line that is wrong is named and does not keep the others from being followed.
            let isRead = CheckpointFile.lines(of: path) { number, line in
                guard let checkpoint = AuditCheckpoint(line: line), checkpoint.isSigned(by: keys) else {
                    print("\(path): line \(number) is not a checkpoint that a known key signed")
                    isWhole = false
                    return
                }
                signed[checkpoint.tenant, default: [:]][checkpoint.size] = checkpoint.head
            }
            guard isRead else {
                print("\(path) cannot be read")
                return 1
            }
        }
        var tenants = try await AuditChainStore(sql: host.db.systemReader).tenants()
        tenants = Array(Set(tenants).union(signed.keys)).sorted()
        if let only = order.tenant { tenants = [only] }
        for tenant in tenants {
            do {
                let chain = try await follow(tenant, signed[tenant] ?? [:])
                print("\(tenant): \(chain.size) entries, whole; head \(Base64URL.encode(chain.head))")
            } catch let found as AuditChain.Break {
                print("\(tenant): \(found)")
                isWhole = false
            }
            for gap in try await AuditCount(sql: host.db.reader(for: tenant)).gaps() {
                print("\(tenant): \(gap)")
                isWhole = false
            }
        }
        return isWhole ? 0 : 1
    }

    /// `isPatient`: rests nine times as long as it works. A chain of 800,000 kept a core busy for 7 s otherwise,
    /// beside people who wait.
    func follow(
        _ tenant: TenantID, _ signed: [Int64: [UInt8]], isPatient: Bool = false
    ) async throws -> AuditChain {
        let store = AuditChainStore(sql: host.db.reader(for: tenant))
        // Read before the entries: what is written meanwhile only makes the chain longer.
        let head = try await store.head()
        var all = signed
        if let head, all[head.size] == nil { all[head.size] = head.head }
        all[0] = nil
        var chain = AuditChain(signed: all)
        while true {
            let began = ContinuousClock.now
            let links = try await store.links(after: chain.size, limit: Self.page)
            for link in links { try chain.follow(link) }
            if links.count < Self.page { break }
            if isPatient { try await EventLoop.sleep(for: (ContinuousClock.now - began) * 9) }
        }
        try chain.finish()
        return chain
    }

    private static func read(_ arguments: [String]) -> (tenant: TenantID?, checkpoint: String?)? {
        var order: (tenant: TenantID?, checkpoint: String?) = (nil, nil)
        var rest = arguments[...]
        while let word = rest.popFirst() {
            guard let value = rest.popFirst() else { return nil }
            switch word {
            case "--tenant":
                guard let id = TenantID(value) else { return nil }
                order.tenant = id
            case "--checkpoint": order.checkpoint = value
            default: return nil
            }
        }
        return order
    }
}
