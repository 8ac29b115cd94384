import Loop
import Messaging
import Postgres
import Primitives

/// The other end of what each service's database counts out: every fact that it saw leave must be in the trail.
///
/// A chain proves that nothing was lost after it arrived; this, that nothing was lost on its way
/// (`docs/decisions/0042-audit-facts-are-counted-out.md`).
@LoopActor struct AuditCount {
    /// What the trail lacks.
    enum Gap: Equatable, Sendable, CustomStringConvertible {
        /// An entry that left, and did not come.
        case lost(service: String, id: EventID)
        /// Counts that did not come, while later ones did.
        case untold(service: String, from: Int64, to: Int64)
        /// Entries come, and counts have stopped.
        case silent(service: String, since: Timestamp)

        var description: String {
            switch self {
            case .lost(let service, let id): "entry \(id) left \(service) and never came"
            case .untold(let service, let from, let to):
                from == to ? "count \(from) of \(service) is missing" : "counts \(from) to \(to) of \(service) are missing"
            case .silent(let service, let since): "\(service) records and has counted nothing out since \(since)"
            }
        }
    }

    let sql: any SQLSession

    /// The first hundred of each kind. What came less than ten minutes ago may be ahead of what it tells of.
    func gaps() async throws -> [Gap] {
        let lost = try await sql.all(
            """
            select s.service, sent.id from audit_facts_sent s, unnest(s.ids) as sent (id)
            where s.received_at < now() - interval '10 minutes' and not exists (select from audit_entry e where e.id = sent.id)
            limit 100
            """) { Gap.lost(service: try $0.next(), id: try $0.next()) }
        let untold = try await sql.all(
            """
            select service, last + 1, number - 1
            from (select service, number, received_at, lag(number, 1, 0::bigint) over (partition by service order by number) as last
                  from audit_facts_sent) s
            where number > last + 1 and received_at < now() - interval '10 minutes'
            limit 100
            """) { Gap.untold(service: try $0.next(), from: try $0.next(), to: try $0.next()) }
        let silent = try await sql.all(
            """
            select s.service, s.at from (select service, max(at) as at from audit_facts_sent group by service) s
            where exists (select from audit_entry e where e.service = s.service
                          and e.at > s.at + interval '1 hour' and e.at < now() - interval '1 hour')
            limit 100
            """) { Gap.silent(service: try $0.next(), since: try $0.next()) }
        return lost + untold + silent
    }

    func keep(_ sent: AuditFactsSent, _ envelope: Envelope) async throws {
        try await sql.run(
            """
            insert into audit_facts_sent (id, service, number, at, ids)
            values (\(envelope.id), \(sent.service), \(sent.number), \(envelope.occurredAt), \(sent.ids)::uuid[])
            """)
    }
}

extension Reaction {
    static let keepFactsSent = Reaction(to: AuditFactsSent.self, named: "reporting.keep-facts-sent") { sent, envelope, tx in
        try await AuditCount(sql: tx).keep(sent, envelope)
    }
}
