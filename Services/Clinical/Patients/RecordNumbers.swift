import Bootstrap
import Loop
import Postgres
import Primitives

/// Hands out medical record numbers: unique in a tenant, for ever, and not without gaps.
///
/// This process takes a block of them in a small transaction of its own and spends it from memory, because a counter
/// that is raised in the registering transaction makes all registrations of a tenant wait for each other's commit.
/// What a registration that failed was given, or what is left when the process ends, is never used.
@LoopActor final class RecordNumbers {
    static let block: Int64 = 20

    private let host: Host
    private var left: [TenantID: Range<Int64>] = [:]
    /// Who waits while a block is on its way, in the order in which they came: they have their numbers from it.
    private var waiting: [TenantID: [CheckedContinuation<MedicalRecordNumber, any Error>]] = [:]

    init(host: Host) { self.host = host }

    /// Runs `body`, which opens the transaction, with a number. One that a patient has already comes from a block that the
    /// database forgot after we took it (a failover lost the commit, and somebody else was given the same): the block is
    /// dropped, and `body` runs again with the first of another.
    func spend<T>(
        of tenant: TenantID, _ body: @LoopActor (MedicalRecordNumber) async throws -> T
    ) async throws -> T {
        for _ in 0..<3 {
            do { return try await body(try await next(of: tenant)) } catch let error as PostgresError
            where error.constraint == "patient_mrn" { left[tenant] = nil }
        }
        return try await body(try await next(of: tenant))
    }

    /// Call it before a transaction, never inside one.
    func next(of tenant: TenantID) async throws -> MedicalRecordNumber {
        if waiting[tenant] == nil, let range = left[tenant], let number = range.first {
            left[tenant] = range.dropFirst()
            return MedicalRecordNumber(number)
        }
        return try await withCheckedThrowingContinuation { continuation in
            guard waiting[tenant] == nil else {
                waiting[tenant]?.append(continuation)
                return
            }
            waiting[tenant] = [continuation]
            EventLoop.spawn { await self.serve(tenant) }
        }
    }

    /// Blocks for all who wait: first come, first served, so that nobody waits for more than two however many come.
    private func serve(_ tenant: TenantID) async {
        while let line = waiting[tenant], !line.isEmpty {
            let count = max(Self.block, Int64(line.count))
            do {
                let last = try await host.db.transaction(for: tenant, forMany: true) { tx in
                    try await RecordNumberStore(sql: tx).raise(by: count)
                }
                var range = (last - count + 1)..<(last + 1)
                while let number = range.first, let first = waiting[tenant]?.first {
                    waiting[tenant]?.removeFirst()
                    range = range.dropFirst()
                    first.resume(returning: MedicalRecordNumber(number))
                }
                left[tenant] = range
            } catch {
                for one in waiting.removeValue(forKey: tenant) ?? [] { one.resume(throwing: error) }
            }
        }
        waiting[tenant] = nil
    }
}

/// Every statement that touches the `mrn_counter` table.
@LoopActor struct RecordNumberStore {
    let sql: any SQLSession

    /// The last number that is taken now. The counter's row stays locked until the commit.
    func raise(by count: Int64) async throws -> Int64 {
        let last = try await sql.first(
            """
            insert into mrn_counter as c (last) values (\(count))
            on conflict (tenant_id) do update set last = c.last + excluded.last
            returning last
            """, as: { try $0.next(as: Int64.self) })
        guard let last else { throw PostgresError(.decoding, message: "the counter returned no row") }
        return last
    }
}
