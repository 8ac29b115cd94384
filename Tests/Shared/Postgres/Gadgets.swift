import Bootstrap
import Loop
import Postgres
import Primitives
import TestSupport

/// A table as services have them: under row-level security, with a named constraint.
let gadgets = Migration(
    "0001_gadgets",
    Array(
        """
        create table gadget (
            id uuid primary key,
            tenant_id uuid not null default current_setting('app.tenant')::uuid,
            name text not null,
            count int not null default 0,
            constraint gadget_one_name unique (tenant_id, name),
            constraint gadget_count_positive check (count >= 0)
        );
        alter table gadget enable row level security;
        alter table gadget force row level security;
        create policy gadget_tenant on gadget
            using (tenant_id = current_setting('app.tenant')::uuid)
            with check (tenant_id = current_setting('app.tenant')::uuid);
        grant select, insert, update, delete on gadget to :service_role;
        """.utf8))

enum Gadget {}

/// Runs `body` with a database that has the table `gadget`.
func withGadgets(_ body: sending @escaping @LoopActor (TestDatabase) async throws -> Void) async throws {
    try await onLoop { try await TestDatabase.with([gadgets], messaging: false, body) }
}

/// Every body at once, each in a task of its own; their results in the same order.
@LoopActor func atOnce<T: Sendable>(
    _ count: Int, _ body: @escaping @LoopActor (Int) async throws -> T
) async -> [Result<T, any Error>] {
    let tasks = (0..<count).map { index in EventLoop.spawn { try await body(index) } }
    var results: [Result<T, any Error>] = []
    for task in tasks { results.append(await task.result) }
    return results
}

extension TestDatabase {
    func insert(_ name: String, for tenant: TenantID? = nil) async throws {
        let id = ID<Gadget>()
        try await db.transaction(for: tenant ?? self.tenant) { tx in
            try await tx.run("insert into gadget (id, name) values (\(id), \(name))")
        }
    }

    func names(for tenant: TenantID? = nil) async throws -> [String] {
        try await db.reader(for: tenant ?? self.tenant).all("select name from gadget order by name") { try $0.next() }
    }
}

extension Result {
    var error: Failure? { if case .failure(let error) = self { error } else { nil } }
    var value: Success? { try? get() }
}

extension PostgresError {
    /// What a body threw, when it was a fault of the database.
    @LoopActor static func of(_ body: @LoopActor () async throws -> Void) async throws -> PostgresError? {
        do { try await body() } catch let error as PostgresError { return error }
        return nil
    }
}
