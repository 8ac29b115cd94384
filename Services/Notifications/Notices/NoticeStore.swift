import Access
import Loop
import Postgres
import Primitives

/// Every statement that touches `notice` and `notice_read`.
@LoopActor struct NoticeStore {
    let sql: any SQLSession

    /// Redelivery of a fact adds nothing. One wake-up for the live hubs, however many, takes effect with the commit:
    /// committing notifiers queue behind one lock of the database.
    func insert(_ caused: [(notice: Notice, event: EventID)]) async throws {
        guard !caused.isEmpty else { return }
        let notices = caused.map(\.notice)
        try await sql.run(
            """
            with added as (
                insert into notice (id, kind, subject_id, role, patient_id, at, event_id)
                select * from unnest(
                    \(notices.map(\.id))::uuid[], \(notices.map(\.kind))::text[], \(notices.map(\.subject))::uuid[],
                    \(SQLArray(notices.map(\.audience.role)))::text[],
                    \(SQLArray(notices.map(\.audience.patient)))::uuid[], \(notices.map(\.at))::timestamptz[],
                    \(caused.map(\.event))::uuid[])
                on conflict do nothing
                returning 1
            )
            select pg_notify('notifications_live', '') where exists (select from added)
            """)
    }

    /// The newest notices for one person, older than the cursor.
    func list(
        roles: [String], patient: PatientID?, account: AccountID, before: (at: Timestamp, id: NoticeID)?, limit: Int
    ) async throws -> [Notice] {
        try await sql.all(
            """
            select n.id, n.kind, n.subject_id, n.role, n.patient_id, n.at, r.at
            from notice n left join notice_read r on r.notice_id = n.id and r.account_id = \(account)
            where (n.role = any(\(roles)::text[]) or n.patient_id = \(patient)::uuid)
              and (\(before?.at)::timestamptz is null or (n.at, n.id) < (\(before?.at)::timestamptz, \(before?.id)::uuid))
            order by n.at desc, n.id desc
            limit \(limit)
            """, as: Notice.init(row:))
    }

    /// What was committed lately for anybody of the tenant: the hub picks out what it has not sent.
    func recent(since: Timestamp) async throws -> [Notice] {
        try await sql.all(
            """
            select id, kind, subject_id, role, patient_id, at, null::timestamptz
            from notice where at > \(since) order by at, id limit 1000
            """, as: Notice.init(row:))
    }

    /// False when the caller has no such notice.
    func markRead(_ id: NoticeID, roles: [String], patient: PatientID?, account: AccountID, at: Timestamp) async throws -> Bool {
        let found = try await sql.first(
            """
            select id from notice
            where id = \(id) and (role = any(\(roles)::text[]) or patient_id = \(patient)::uuid)
            """, as: { row -> NoticeID in try row.next() })
        guard found != nil else { return false }
        try await sql.run(
            """
            insert into notice_read (notice_id, account_id, at) values (\(id), \(account), \(at))
            on conflict do nothing
            """)
        return true
    }
}

extension Notice.Audience {
    fileprivate var role: String? { if case .role(let role) = self { role } else { nil } }
    fileprivate var patient: PatientID? { if case .patient(let patient) = self { patient } else { nil } }
}
