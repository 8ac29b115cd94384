import Access
import Bootstrap
import Cryptography
import Glibc
import JSON
import Loop
import Postgres
import Primitives
import TestSupport
import Testing

@testable import Reporting

/// The chain of audit entries, and what it notices.
@Suite struct AuditChainTests {
    /// Entries as the database chained them.
    @LoopActor private static func written(_ count: Int, _ test: TestDatabase) async throws -> [AuditChain.Link] {
        for batch in stride(from: 0, to: count, by: 7) {
            try await test.db.transaction(for: test.tenant) { tx in
                try await AuditStore(sql: tx).append(
                    (batch..<min(batch + 7, count)).map { .sample(at: Int64($0), actor: AccountID()) })
            }
        }
        return try await AuditChainStore(sql: test.db.reader(for: test.tenant)).links(after: 0, limit: 10_000)
    }

    private static func verdict(_ links: [AuditChain.Link], _ signed: [Int64: [UInt8]]) -> AuditChain.Break? {
        var chain = AuditChain(signed: signed)
        do {
            for link in links { try chain.follow(link) }
            try chain.finish()
            return nil
        } catch { return error }
    }

    @Test func `The database chains entries without gap, whoever writes at once, and the same entry has one place`() async throws {
        try await onLoop {
            try await TestDatabase.with(ReportingService.migrations) { test in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<4 {
                        group.addTask { _ = try await Self.written(25, test) }
                    }
                    for try await _ in group {}
                }
                let again = AuditEntry.sample(at: 1, actor: AccountID())
                for _ in 1...2 {
                    try await test.db.transaction(for: test.tenant) { try await AuditStore(sql: $0).append([again]) }
                }
                let store = AuditChainStore(sql: test.db.reader(for: test.tenant))
                let links = try await store.links(after: 0, limit: 10_000)
                #expect(links.map(\.seq) == (1...101).map { Int64($0) })
                #expect(Self.verdict(links, [:]) == nil)
                #expect(try await store.head()?.size == 101)
                // Another tenant's chain is another.
                #expect(try await AuditChainStore(sql: test.db.reader(for: TenantID())).links(after: 0, limit: 10).isEmpty)
            }
        }
    }

    @Test func `Of a thousand random tampers with an exported checkpoint every one is found`() async throws {
        try await onLoop {
            try await TestDatabase.with(ReportingService.migrations) { test in
                let links = try await Self.written(60, test)
                let signed = [Int64(60): links[59].hash]
                #expect(Self.verdict(links, signed) == nil)
                var kinds: [String: Int] = [:]
                // `TAMPER_SEED=n` repeats a run: with the same seed the same places are tampered with in the same way.
                let seed = getenv("TAMPER_SEED").flatMap { UInt64(String(cString: $0)) } ?? UInt64.random(in: 0...UInt64.max)
                print("tampering with seed \(seed)")
                var dice = Dice(seed: seed)
                for _ in 0..<1_000 {
                    let (kind, first, tampered) = Self.tampered(links, &dice)
                    kinds[kind, default: 0] += 1
                    let found = Self.verdict(tampered, signed)
                    #expect(found != nil, "\(kind) at \(first) was not noticed, seed \(seed)")
                    // The first broken place is named, where the tamperer left the hashes alone.
                    switch (kind, found) {
                    case ("change", .changed(let seq, _)), ("swap", .changed(let seq, _)): #expect(seq == first)
                    case ("remove", .missing(let from, _)), ("truncate", .missing(let from, _)): #expect(from == first)
                    case ("reorder", .missing(let from, _)): #expect(from == first)
                    case ("rewrite", .rewritten(let size)): #expect(size == 60)
                    case ("repeat", .misplaced), ("forge", .changed), ("renumber", .rewritten), ("hash", .changed): break
                    default: Issue.record("\(kind) was taken for \(found.map(\.description) ?? "nothing")")
                    }
                }
                #expect(kinds.count == 10, "\(kinds)")
            }
        }
    }

    /// One random tamper: what it is, the first place it touches, and what is stored then.
    private static func tampered(_ links: [AuditChain.Link], _ dice: inout Dice) -> (String, Int64, [AuditChain.Link]) {
        var copy = links
        let at = Int.random(in: 0..<links.count - 1, using: &dice)
        let other = Int.random(in: at + 1..<links.count, using: &dice)
        switch Int.random(in: 0..<10, using: &dice) {
        case 0:
            copy[at].canonical = copy[at].canonical.replacing("pay", with: "see")
            return ("change", Int64(at + 1), copy)
        case 1:
            copy.remove(at: at)
            return ("remove", Int64(at + 1), copy)
        case 2:
            (copy[at].canonical, copy[other].canonical) = (copy[other].canonical, copy[at].canonical)
            return ("swap", Int64(at + 1), copy)
        case 3:
            copy.removeLast(links.count - at)
            return ("truncate", Int64(at + 1), copy)
        case 4:
            copy.swapAt(at, other)
            return ("reorder", Int64(at + 1), copy)
        case 5:
            copy.insert(copy[at], at: other)
            return ("repeat", Int64(at + 1), copy)
        case 6:
            copy[at].hash[Int.random(in: 0..<32, using: &dice)] ^= 1 << UInt8.random(in: 0...7, using: &dice)
            return ("hash", Int64(at + 1), copy)
        case 7:
            copy[at].canonical = copy[at].canonical.replacing("pay", with: "see")
            return ("rewrite", Int64(at + 1), rechained(copy))
        case 8:
            copy.remove(at: at)
            copy.append(AuditChain.Link(seq: 0, id: EventID(), canonical: "forged", hash: []))
            for index in copy.indices { copy[index].seq = Int64(index + 1) }
            return ("renumber", Int64(at + 1), rechained(copy))
        default:
            copy[at] = AuditChain.Link(seq: copy[at].seq, id: EventID(), canonical: "forged", hash: copy[at].hash)
            return ("forge", Int64(at + 1), copy)
        }
    }

    /// What somebody does who knows how the chain is made and may write everything but the checkpoint.
    private static func rechained(_ links: [AuditChain.Link]) -> [AuditChain.Link] {
        var head = SHA256.digest([])
        return links.map { link in
            var copy = link
            head = SHA256.digest(head + Array(link.canonical.utf8))
            copy.hash = head
            return copy
        }
    }

    @Test func `What is altered in the table itself is named by the verifier`() async throws {
        try await onLoop {
            try await TestDatabase.with(ReportingService.migrations) { test in
                // A chain that was cut off is whole in itself; that there was more is known by the checkpoint alone.
                let signed = [Int64(20): try await Self.written(20, test)[19].hash]
                let tampers: [(String, String)] = [
                    ("update audit_entry set action = 'see' where seq = 7", "entry 7 ("),
                    ("delete from audit_entry where seq = 5", "entry 5 is missing"),
                    ("delete from audit_entry where seq > 3", "entries 4 to 20 are missing"),
                    ("update audit_entry set at = at + interval '1 microsecond' where seq = 2", "entry 2 ("),
                    ("delete from audit_entry where seq = 1", "entry 1 is missing"),
                ]
                for (statement, words) in tampers {
                    // Each is worse than the one before, so the first broken place only comes earlier.
                    try await test.asOwner(
                        """
                        alter table audit_entry no force row level security;
                        alter table audit_entry disable trigger audit_entry_kept;
                        \(statement);
                        alter table audit_entry enable trigger audit_entry_kept;
                        alter table audit_entry force row level security
                        """)
                    let links = try await AuditChainStore(sql: test.db.reader(for: test.tenant)).links(after: 0, limit: 100)
                    let found = Self.verdict(links, signed)?.description ?? "nothing"
                    #expect(found.hasPrefix(words), "\(statement)")
                }
            }
        }
    }

    @Test func `Every column of an entry is in the text that is chained`() async throws {
        try await onLoop {
            try await TestDatabase.with(ReportingService.migrations) { test in
                let columns = try await test.db.reader(for: test.tenant).all(
                    """
                    select column_name::text from information_schema.columns
                    where table_schema = current_schema() and table_name = 'audit_entry' and column_name <> 'hash'
                    """, as: { try $0.next(as: String.self) })
                #expect(columns.count >= 16)
                try await test.db.transaction(for: test.tenant) {
                    try await AuditStore(sql: $0).append([.sample(at: 5, actor: AccountID())])
                }
                // Whatever column is given another value, the text is another.
                for column in columns {
                    let differs = try await test.db.reader(for: test.tenant).first(
                        """
                        select audit_canonical(e) is distinct from audit_canonical(jsonb_populate_record(e,
                            jsonb_build_object(\(column)::text, case (select data_type from information_schema.columns
                                where table_schema = current_schema() and table_name = 'audit_entry' and column_name = \(column))
                                when 'uuid' then to_jsonb(\(EventID())::uuid) when 'bigint' then '77'::jsonb
                                when 'boolean' then to_jsonb(not e.allowed) when 'jsonb' then '{"other": true}'::jsonb
                                when 'timestamp with time zone' then to_jsonb(now()) else '"other"'::jsonb end)))
                        from audit_entry e limit 1
                        """, as: { try $0.next(as: Bool.self) })
                    #expect(differs == true, "\(column) could be changed unseen")
                }
            }
        }
    }

    @Test func `Not even the owner of the tables changes, removes or empties what was recorded`() async throws {
        try await onLoop {
            try await TestDatabase.with(ReportingService.migrations) { test in
                _ = try await Self.written(3, test)
                for statement in [
                    "update audit_entry set action = 'see'", "delete from audit_entry", "truncate audit_entry cascade",
                    "delete from audit_checkpoint where size = 0; truncate audit_checkpoint", "truncate audit_listed",
                ] {
                    do {
                        try await test.asOwner("begin; set local app.tenant = '\(test.tenant)'; alter table audit_entry no force row level security; \(statement); commit")
                        Issue.record("\(statement) went through")
                    } catch let error as PostgresError {
                        #expect(error.message.contains("is not changed"), "\(statement): \(error)")
                    }
                }
                let links = try await AuditChainStore(sql: test.db.reader(for: test.tenant)).links(after: 0, limit: 10)
                #expect(links.count == 3 && Self.verdict(links, [:]) == nil)
            }
        }
    }

    @Test func `The watch tells of a chain that is broken, by figure and entry, and of none that is whole`() async throws {
        try await onReporting { test in
            let folder = "/tmp/audit-watch-\(EventID())"
            #expect(mkdir(folder, 0o755) == 0)
            let key = try SigningKey.generate()
            let keys = KeySet([key.verifying])
            @LoopActor func broken() -> Double? { test.host.gauges["polyclinic_audit_chains_broken"]?.value }
            try await test.host.db.transaction(for: test.tenant) { tx in
                try await AuditStore(sql: tx).append((0..<20).map { .sample(at: $0, actor: AccountID()) })
            }
            try await CheckpointClock(host: test.host, key: key, folder: folder, tick: .seconds(60)).signAll()
            let watch = ChainWatch(host: test.host, keys: keys, folder: folder, tick: .seconds(60))
            try await watch.verifyAll()
            #expect(broken() == 0)
            // The chain grows, and what was signed is still its beginning.
            try await test.host.db.transaction(for: test.tenant) { tx in
                try await AuditStore(sql: tx).append([.sample(at: 99, actor: AccountID())])
            }
            try await watch.verifyAll()
            #expect(broken() == 0)
            let before = try await test.audited().count
            #expect(before == 0)
            // Somebody whose key nobody knows has signed what is in the database and in the folder.
            try await ChainWatch(host: test.host, keys: KeySet([try SigningKey.generate().verifying]), folder: folder, tick: .seconds(60))
                .verifyAll()
            #expect(broken() == 1)
            let entry = try #require(try await test.audited().last)
            #expect(entry["action"] == "find_broken" && entry["resourceId"] == .string(test.tenant.description))
        }
    }

    @Test func `A checkpoint reads back, and neither another key nor another size passes for it`() throws {
        let key = try SigningKey.generate()
        let made = try AuditCheckpoint(tenant: TenantID(), size: 60, head: SHA256.digest([1]), at: Timestamp.now(), key: key)
        let read = try #require(AuditCheckpoint(line: made.jsonBytes))
        #expect(read == made && read.isSigned(by: KeySet([key.verifying])))
        // After a change of keys, what the key before signed still counts.
        #expect(read.isSigned(by: KeySet([try SigningKey.generate().verifying, key.verifying])))
        #expect(!read.isSigned(by: KeySet([try SigningKey.generate().verifying])))
        let text = String(decoding: made.jsonBytes, as: UTF8.self)
        let smaller = try #require(AuditCheckpoint(line: Array(text.replacing("\"size\":60", with: "\"size\":59").utf8)))
        #expect(!smaller.isSigned(by: KeySet([key.verifying])))
    }
}

/// The same seed is the same run. SplitMix64.
private struct Dice: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
