import Access
import Bootstrap
import Cryptography
import Glibc
import Loop
import Postgres
import Primitives

/// `rotate-index-key`: makes the first line of `INDEX_KEY_FILE` the only one that anybody is found by, while people sign in.
///
/// Put the new line in front of the old one, run it, take the old line out, run it again. It may be interrupted and run
/// again: what is done is done. Addresses rest sealed beside, so that it finds people again after the key was lost, too.
@LoopActor struct RotateIndexKey {
    let host: Host
    let vaults: Vaults
    let emailIndex: EmailIndex
    let subjects: Subjects
    private static let batch = 500

    nonisolated var command: Command {
        Command("rotate-index-key", help: "find people by the newest index key, while everything runs") { arguments in
            guard arguments.isEmpty else { return 64 }
            try await run()
            return 0
        }
    }

    func run() async throws {
        let tenants = try await host.keys.tenants()
        var total = (people: 0, moved: 0, subjects: 0, secrets: 0)
        for (index, tenant) in tenants.enumerated() {
            let (people, moved) = try await moveLogins(of: tenant)
            total.people += people
            total.moved += moved
            total.subjects += try await keepSubjects(of: tenant)
            let hashes = try await ClientStore(sql: host.db.reader(for: tenant)).secretHashes()
            total.secrets += hashes.count(where: ClientSecrets.isKeyed)
            if moved > 0 { say("[\(index + 1)/\(tenants.count)] people found by other keys than before: \(moved)") }
        }
        say("done: \(total.moved) of \(total.people) people moved; applications given a key of their own: \(total.subjects)")
        if total.secrets > 0 {
            say("""
                \(total.secrets) secrets of applications hang on the key that they were made with: they are stored anew as the \
                applications come while the file has two lines. Who has not come when it is taken out needs a new secret.
                """)
        }
    }

    /// Each account gets a row for every key of the file, and loses those of keys that are not in it.
    private func moveLogins(of tenant: TenantID) async throws -> (people: Int, moved: Int) {
        var last = AccountID(high: 0, low: 0)
        var (people, moved) = (0, 0)
        while true {
            let batch = try await host.db.transaction(for: tenant) { tx in
                let store = AccountStore(sql: tx, vault: try await vaults.vault(of: tenant, tx))
                let accounts = try await store.hold(after: last, limit: Self.batch)
                let found = try await store.logins(of: accounts.map(\.id))
                var count = 0
                for account in accounts {
                    guard let rows = found[account.id] else { continue }
                    let wanted = emailIndex.index(of: account.email)
                    let missing = wanted.filter { !rows.contains($0) }
                    let over = rows.filter { !wanted.contains($0) }
                    guard !missing.isEmpty || !over.isEmpty else { continue }
                    guard try await store.add(missing, to: account.id) else {
                        say("account \(account.id) has the address of another, made while its key was not in the file: left alone")
                        continue
                    }
                    try await store.remove(over, from: account.id)
                    count += 1
                }
                return (accounts.map(\.id), count)
            }
            people += batch.0.count
            moved += batch.1
            guard let newest = batch.0.last, batch.0.count == Self.batch else { return (people, moved) }
            last = newest
            say("  \(people) seen")
        }
    }

    /// What clients know people by stays what it is.
    private func keepSubjects(of tenant: TenantID) async throws -> Int {
        try await host.db.transaction(for: tenant) { tx in
            let store = ClientStore(sql: tx)
            let clients = try await store.withoutSubjectKey()
            for client in clients { try await store.give(try await subjects.former(for: client, in: tenant, tx), to: client) }
            return clients.count
        }
    }

    private func say(_ line: String) {
        print("auth: \(line)")
        fflush(nil)
    }
}
