import Bootstrap
import Cryptography
import Glibc
import Loop
import Postgres
import Primitives

/// `reporting verify-audit [--tenant ID] [--checkpoint FILE]`: follows every chain from its first entry and names the
/// first that is changed, missing or out of place. With the checkpoints that were taken elsewhere it also sees what
/// was cut off the end, and a chain that was written anew.
@LoopActor struct VerifyAudit {
    let host: Host
    /// Who signed the checkpoints; nil when this process knows no key.
    let key: VerifyingKey?

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
        if let path = order.checkpoint {
            guard let checkpoints = read(path) else { return 1 }
            for checkpoint in checkpoints { signed[checkpoint.tenant, default: [:]][checkpoint.size] = checkpoint.head }
        }
        var tenants = try await AuditChainStore(sql: host.db.systemReader).tenants()
        tenants = Array(Set(tenants).union(signed.keys)).sorted()
        if let only = order.tenant { tenants = [only] }
        var isWhole = true
        for tenant in tenants {
            do {
                let chain = try await follow(tenant, signed[tenant] ?? [:])
                print("\(tenant): \(chain.size) entries, whole; head \(Base64URL.encode(chain.head))")
            } catch let found as AuditChain.Break {
                print("\(tenant): \(found)")
                isWhole = false
            }
        }
        return isWhole ? 0 : 1
    }

    func follow(_ tenant: TenantID, _ signed: [Int64: [UInt8]]) async throws -> AuditChain {
        let store = AuditChainStore(sql: host.db.reader(for: tenant))
        // Read before the entries: what is written meanwhile only makes the chain longer.
        let head = try await store.head()
        var all = signed
        if let head, all[head.size] == nil { all[head.size] = head.head }
        all[0] = nil
        var chain = AuditChain(signed: all)
        while true {
            let links = try await store.links(after: chain.size, limit: Self.page)
            for link in links { try chain.follow(link) }
            if links.count < Self.page { break }
        }
        try chain.finish()
        return chain
    }

    private func read(_ path: String) -> [AuditCheckpoint]? {
        guard let key else {
            print("AUDIT_SIGNING_KEY_FILE says who signs checkpoints; it is not set")
            return nil
        }
        guard let file = fopen(path, "r") else {
            print("\(path) cannot be read")
            return nil
        }
        defer { fclose(file) }
        var checkpoints: [AuditCheckpoint] = []
        var buffer = [CChar](repeating: 0, count: 4096)
        while fgets(&buffer, Int32(buffer.count), file) != nil {
            let line = buffer.prefix { $0 != 0 && $0 != 0x0a }.map { UInt8(bitPattern: $0) }
            guard !line.isEmpty else { continue }
            guard let checkpoint = AuditCheckpoint(line: line), checkpoint.isSigned(by: key) else {
                print("\(path): line \(checkpoints.count + 1) is not a checkpoint that \(key.id) signed")
                return nil
            }
            checkpoints.append(checkpoint)
        }
        return checkpoints
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
