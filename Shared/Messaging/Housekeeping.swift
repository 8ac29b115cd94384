import Loop
import Postgres
import Primitives

/// Removes what no promise needs any more, in small bites, once an hour. Every replica may do it: a row is
/// deleted once whoever deletes it.
@LoopActor package struct Housekeeping {
    /// A published event can be replayed for a week.
    static let outboxDays = 7
    /// No broker redelivers after a month.
    static let inboxDays = 30
    private let db: Database

    package init(db: Database) { self.db = db }

    /// Tells reporting which audit facts left, until there are no more of them. The database knows which and whose; this
    /// process only says when (decision 42).
    package func tell() async throws {
        while try await db.systemTransaction({ tx in
            try await tx.first("select outbox_tell()", as: { row in try row.next(as: Int64.self) }) ?? 0 > 0
        }) {}
    }

    package func run() async throws {
        while !Task.isCancelled {
            try await EventLoop.sleep(for: .seconds(Int.random(in: 3000...4200)))
            try await sweep()
        }
    }

    /// One pass; returns how many rows went.
    @discardableResult
    package func sweep() async throws -> Int {
        var removed = 0
        removed += try await bites {
            """
            delete from outbox where id in (
                select id from outbox where published_at < now() - make_interval(days => \(Self.outboxDays)) limit 1000)
            """
        }
        removed += try await bites {
            """
            delete from inbox where (reaction, event_id) in (
                select reaction, event_id from inbox
                where received_at < now() - make_interval(days => \(Self.inboxDays)) limit 1000)
            """
        }
        removed += try await bites {
            """
            delete from isolation where (reaction, event_id) in (
                select reaction, event_id from isolation
                where begun_at < now() - make_interval(days => \(Self.inboxDays)) limit 1000)
            """
        }
        removed += try await bites {
            """
            delete from revoked_account where account_id in (
                select account_id from revoked_account where expires_at < now() limit 1000)
            """
        }
        removed += try await bites {
            """
            delete from revoked_session where session_id in (
                select session_id from revoked_session where expires_at < now() limit 1000)
            """
        }
        return try await removed + sweepAnswers()
    }

    private func bites(_ statement: () -> SQL) async throws -> Int {
        var total = 0
        while true {
            let sql = statement()
            let count = try await db.systemTransaction { tx in try await tx.run(sql) }
            total += count
            if count < 1000 { return total }
        }
    }

    /// Stored answers are under row-level security, so each tenant that was active lately is swept by itself.
    private func sweepAnswers() async throws -> Int {
        let tenants = try await db.systemTransaction { tx in
            try await tx.all(
                "select distinct tenant_id from outbox limit 10000", as: { row in try row.next(as: TenantID.self) })
        }
        var total = 0
        for tenant in tenants {
            total += try await db.transaction(for: tenant) { tx in
                try await tx.run("delete from idempotency where expires_at < now()")
            }
        }
        return total
    }
}
