import Cryptography
import Glibc
import Loop
import Postgres
import Primitives

/// `rotate-data-keys`: wraps again whatever an older key wraps, while everything is being read and written.
///
/// Run it after a new line was put in front of `MASTER_KEY_FILE`; when it is done in every service the old line may
/// go. With `--new-tenant-keys yes` each tenant gets a new key too, and every person's key is wrapped by it. It may be
/// interrupted and run again: what is done is done.
@LoopActor package struct RotateDataKeys {
    /// What a service keeps beside the common tables.
    package struct Own: Sendable {
        /// The key that wrapped persons' keys before there were rows of keys.
        package let founding: @LoopActor @Sendable (TenantID) async throws -> SymmetricKey?
        /// Wraps the service's own keys of a tenant with the current master key; whether there was anything to do.
        package let rewrap: @LoopActor @Sendable (TenantID, Transaction) async throws -> Bool

        package init(
            founding: @escaping @LoopActor @Sendable (TenantID) async throws -> SymmetricKey? = { _ in nil },
            rewrap: @escaping @LoopActor @Sendable (TenantID, Transaction) async throws -> Bool = { _, _ in false }
        ) {
            self.founding = founding
            self.rewrap = rewrap
        }
    }

    private let host: Host
    private let own: Own
    private static let batch = 500

    package nonisolated init(host: Host, own: Own = Own()) {
        self.host = host
        self.own = own
    }

    package nonisolated static let name = "rotate-data-keys"

    package nonisolated var command: Command {
        Command(
            Self.name, help: "[--new-tenant-keys yes]: wrap every key again with the newest, while everything runs"
        ) { arguments in
            guard arguments.isEmpty || arguments == ["--new-tenant-keys", "yes"] else { return 64 }
            return try await run(newTenantKeys: !arguments.isEmpty)
        }
    }

    package func run(newTenantKeys: Bool, announcement: Duration = TenantKeyRings.announcement) async throws -> Int32 {
        let tenants = try await host.keys.tenants()
        var wrapped = 0
        for tenant in tenants { wrapped += try await rewrapTenant(tenant) }
        say("tenants: \(tenants.count), their keys wrapped again: \(wrapped)")
        if newTenantKeys {
            for tenant in tenants { try await announce(for: tenant, in: announcement) }
            // Every process knows the new keys before anything is under them.
            try await EventLoop.sleep(for: announcement + .seconds(1))
        }
        var persons = 0
        for (index, tenant) in tenants.enumerated() {
            var count = 0
            // A process that looked just before may still have used the older key once: a second pass finds that.
            for pass in 1...3 {
                let done = try await rewrapPersons(of: tenant)
                count += done
                if done == 0 || pass == 3 { break }
            }
            persons += count
            say("[\(index + 1)/\(tenants.count)] persons' keys wrapped again: \(count)")
        }
        say("done: \(persons) persons' keys")
        return 0
    }

    private func rewrapTenant(_ tenant: TenantID) async throws -> Int {
        return try await host.db.transaction(for: tenant) { tx in
            let rows = try await tx.all(
                "select number, wrapped from tenant_wrapping_key order by number for update",
                as: { row in (try row.next(as: Int.self), try row.next(as: Bytes.self).array) })
            var count = try await own.rewrap(tenant, tx) ? 1 : 0
            for (number, box) in rows where host.keys.isOutdated(box, number: number, of: tenant) {
                let key = try host.keys.unwrap(box, number: number, of: tenant)
                let fresh = try host.keys.wrap(key, number: number, of: tenant)
                try await tx.run(
                    "update tenant_wrapping_key set wrapped = \(Bytes(fresh)) where number = \(number)")
                count += 1
            }
            return count
        }
    }

    private func announce(for tenant: TenantID, in time: Duration) async throws {
        let (seconds, _) = time.components
        try await host.db.transaction(for: tenant) { tx in
            let last = try await tx.first(
                "select coalesce(max(number), 0) from tenant_wrapping_key", as: { try $0.next(as: Int.self) })
            let number = (last ?? 0) + 1
            let fresh = try host.keys.wrap(SymmetricKey(), number: number, of: tenant)
            try await tx.run(
                """
                insert into tenant_wrapping_key (number, wrapped, active_from)
                values (\(number), \(Bytes(fresh)), now() + make_interval(secs => \(seconds)))
                """)
        }
    }

    /// Some hundred at a time, each row locked for a moment only.
    private func rewrapPersons(of tenant: TenantID) async throws -> Int {
        host.keys.forget()
        guard let ring = try await host.keys.existing(tenant, founding: own.founding(tenant)) else { return 0 }
        var last = PatientID(high: 0, low: 0)
        var count = 0
        while true {
            let (seen, done) = try await host.db.transaction(for: tenant) { tx in
                let rows = try await tx.all(
                    """
                    select person_id, wrapped from data_key where person_id > \(last)
                    order by person_id limit \(Self.batch) for update
                    """, as: { row in (try row.next(as: PatientID.self), try row.next(as: Bytes.self).array) })
                let old = rows.filter { PatientVault.isOutdated($0.1, of: $0.0, tenant: tenant, ring: ring) }
                for (person, box) in old {
                    let vault = try PatientVault(of: person, tenant: tenant, wrappedKey: box, ring: ring, leaving: nil)
                    tx.later(
                        "update data_key set wrapped = \(Bytes(try vault.rewrapped(ring))) where person_id = \(person)")
                }
                return (rows.map(\.0), old.count)
            }
            count += done
            if done > 0 { say("  \(count) wrapped again") }
            guard let newest = seen.last, seen.count == Self.batch else { return count }
            last = newest
        }
    }

    private func say(_ line: String) { print("\(host.config.service): \(line)\n", to: STDOUT_FILENO) }
}
