import Access
import Loop
import Postgres
import Primitives

/// Every statement that touches `notice` and `notice_read`.
@LoopActor struct NoticeStore {
    let sql: any SQLSession
    private static let page = 1000
    private static let first = NoticeID(high: 0, low: 0)

    /// Redelivery of a fact adds nothing. One wake-up for the live hubs, however many, takes effect with the commit:
    /// committing notifiers queue behind one lock of the database.
    func insert(_ caused: [(notice: Notice, event: EventID)]) async throws {
        guard !caused.isEmpty else { return }
        let notices = caused.map(\.notice)
        try await sql.run(
            """
            with added as (
                insert into notice (id, kind, subject_id, role, patient_id, account_id, provider_id, at, event_id)
                select * from unnest(
                    \(notices.map(\.id))::uuid[], \(notices.map(\.kind))::text[], \(notices.map(\.subject))::uuid[],
                    \(SQLArray(notices.map(\.audience.role)))::text[],
                    \(SQLArray(notices.map(\.audience.patient)))::uuid[], \(SQLArray(notices.map(\.audience.account)))::uuid[],
                    \(SQLArray(notices.map(\.audience.provider)))::uuid[], \(notices.map(\.at))::timestamptz[],
                    \(caused.map(\.event))::uuid[])
                on conflict do nothing
                returning 1
            )
            select pg_notify('notifications_live', '') where exists (select from added)
            """)
    }

    /// The newest notices for one person, older than the cursor.
    func list(
        of reader: Reader, before: (at: Timestamp, id: NoticeID)?, limit: Int
    ) async throws -> [Notice] {
        try await sql.all(
            """
            select n.id, n.kind, n.subject_id, n.role, n.patient_id, n.account_id, n.provider_id, n.at, r.at
            from notice n left join notice_read r on r.notice_id = n.id and r.account_id = \(reader.account)
            where \(isFor(reader))
              and (\(before?.at)::timestamptz is null or (n.at, n.id) < (\(before?.at)::timestamptz, \(before?.id)::uuid))
            order by n.at desc, n.id desc
            limit \(limit)
            """, as: Notice.init(row:))
    }

    /// The same as `Reader.hears`.
    private func isFor(_ reader: Reader) -> SQL {
        """
        (n.role = any(\(reader.roles)::text[]) or n.patient_id = any(\(reader.patients)::uuid[])
         or n.account_id = \(reader.account) or n.provider_id = \(reader.provider)::uuid)
        """
    }

    /// What was committed lately for anybody of the tenant, all of it: the hub picks out what it has not sent.
    func recent(since: Timestamp) async throws -> [Notice] {
        var found: [Notice] = []
        var page: [Notice] = []
        repeat {
            let last = page.last
            page = try await sql.all(
                """
                select id, kind, subject_id, role, patient_id, account_id, provider_id, at, null::timestamptz
                from notice
                where at >= \(last?.at ?? since) and (at, id) > (\(last?.at ?? since)::timestamptz, \(last?.id ?? Self.first)::uuid)
                order by at, id limit \(Self.page)
                """, as: Notice.init(row:))
            found += page
        } while page.count == Self.page
        return found
    }

    /// False when the caller has no such notice.
    func markRead(_ id: NoticeID, by reader: Reader, at: Timestamp) async throws -> Bool {
        let found = try await sql.first(
            "select n.id from notice n where n.id = \(id) and \(isFor(reader))", as: { row -> NoticeID in try row.next() })
        guard found != nil else { return false }
        try await sql.run(
            """
            insert into notice_read (notice_id, account_id, at) values (\(id), \(reader.account), \(at))
            on conflict do nothing
            """)
        return true
    }
}

extension Notice.Audience {
    fileprivate var role: String? { if case .role(let role) = self { role } else { nil } }
    fileprivate var patient: PatientID? { if case .patient(let patient) = self { patient } else { nil } }
    fileprivate var account: AccountID? { if case .account(let account) = self { account } else { nil } }
    fileprivate var provider: ProviderID? { if case .provider(let provider) = self { provider } else { nil } }
}
