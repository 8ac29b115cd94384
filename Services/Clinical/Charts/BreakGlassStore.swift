import Access
import Bootstrap
import Loop
import Messaging
import Postgres
import Primitives

/// Every statement that touches `glass_grant`.
@LoopActor struct BreakGlassStore {
    let sql: any SQLSession
    let scope: PatientScope

    /// A row with what is sealed in it, and the key of its patient.
    struct Sealed: Sendable {
        let id: GlassID
        let kind: BreakGlass.Kind
        let patient: PatientID
        let account: AccountID
        let location: LocationID
        let reason: [UInt8]
        let grantedAt: Timestamp
        let expiresAt: Timestamp
        let reviewedAt: Timestamp?
        let reviewedBy: AccountID?
        let outcome: String?
        let note: [UInt8]?
        let dataKey: [UInt8]
    }

    /// Into the queue, where somebody else judges it; those who oversee are told at once.
    func keep(_ grant: BreakGlass, in vault: PatientVault, _ tx: Transaction) async throws {
        let reason = try vault.seal(Array(grant.reason.utf8), "glass_grant", "reason", row: grant.id.description)
        try await tx.run(
            """
            insert into glass_grant (id, kind, patient_id, account_id, location_id, reason, granted_at, expires_at)
            values (\(grant.id), \(grant.kind), \(grant.patient), \(grant.account), \(grant.location), \(Bytes(reason)),
                    \(grant.grantedAt), \(grant.expiresAt))
            """)
        // So that the worker knows where to look.
        try await tx.run("insert into tenant_card (tenant_id) values (\(vault.tenant)) on conflict do nothing")
        try tx.announce(grant.broken, revision: 1)
    }

    static func tenants(_ sql: any SQLSession) async throws -> [TenantID] {
        try await sql.all("select tenant_id from tenant_card order by tenant_id limit 100000") { try $0.next() }
    }

    private static let select = """
        select g.id, g.kind, g.patient_id, g.account_id, g.location_id, g.reason, g.granted_at, g.expires_at, g.reviewed_at,
               g.reviewed_by, g.outcome, g.note, k.wrapped
        from glass_grant g join data_key k on k.person_id = g.patient_id
        """

    func findForUpdate(_ id: GlassID) async throws -> Sealed? {
        try await sql.first("\(unsafe: Self.select) where g.id = \(id) and \(scope.clause("g.patient_id")) for update of g", as: Sealed.init(row:))
    }

    /// The queue: what waits longest first. `unreviewed` leaves out what was judged.
    func page(unreviewed: Bool, before: Timestamp?, after last: GlassID?, limit: Int) async throws -> [Sealed] {
        try await sql.all(
            """
            \(unsafe: Self.select)
            where \(scope.clause("g.patient_id")) and (not \(unreviewed)::boolean or g.reviewed_at is null)
              and (\(before)::timestamptz is null or g.granted_at < \(before))
              and (\(last)::uuid is null or g.id > \(last))
            order by g.id
            limit \(limit)
            """, as: Sealed.init(row:))
    }

    /// Every one of a patient's chart, for an export.
    func all(of patient: PatientID) async throws -> [Sealed] {
        try await sql.all("\(unsafe: Self.select) where g.patient_id = \(patient) order by g.id", as: Sealed.init(row:))
    }

    /// Whether what opens this chart to the account is a glass, or a visit that began on one: a door for a day, and for
    /// nobody else.
    func isDoor(of account: AccountID, to patient: PatientID, at now: Timestamp) async throws -> Bool {
        let since = now.adding(seconds: -CareTerms.afterBrokenGlass.components.seconds - BreakGlass.longestMinutes * 60)
        return try await sql.first(
            """
            select exists (select from glass_grant where patient_id = \(patient) and account_id = \(account)
                           and kind = 'opened' and granted_at > \(since))
            """, as: { try $0.next() }) ?? false
    }

    func saveReview(of grant: BreakGlass, note: [UInt8]?) async throws {
        try await sql.run(
            """
            update glass_grant
            set reviewed_at = \(grant.review?.at), reviewed_by = \(grant.review?.by),
                outcome = \(grant.review?.outcome), note = \(note.map { Bytes($0) })
            where id = \(grant.id)
            """)
    }

    /// Claims those that nobody judged in time and nobody was told of yet: each is told once, by one replica.
    func claimOverdue(grantedBefore time: Timestamp, at now: Timestamp) async throws -> [Sealed] {
        try await sql.all(
            """
            with claimed as (
                update glass_grant set overdue_at = \(now)
                where id in (select id from glass_grant where reviewed_at is null and overdue_at is null
                             and \(scope.clause("patient_id"))
                             and granted_at < \(time) order by granted_at limit 100 for update skip locked)
                returning *
            )
            select g.id, g.kind, g.patient_id, g.account_id, g.location_id, g.reason, g.granted_at, g.expires_at, g.reviewed_at,
                   g.reviewed_by, g.outcome, g.note, ''::bytea
            from claimed g
            """, as: Sealed.init(row:))
    }

    func counts(grantedBefore time: Timestamp) async throws -> (waiting: Int, overdue: Int) {
        try await sql.first(
            """
            select count(*), count(*) filter (where granted_at < \(time)) from glass_grant where reviewed_at is null
            """, as: { (try $0.next(), try $0.next()) }) ?? (0, 0)
    }
}

extension BreakGlassStore.Sealed {
    init(row: inout Row) throws {
        id = try row.next()
        kind = try row.next()
        patient = try row.next()
        account = try row.next()
        location = try row.next()
        reason = try row.next(as: Bytes.self).array
        grantedAt = try row.next()
        expiresAt = try row.next()
        reviewedAt = try row.next()
        reviewedBy = try row.next()
        outcome = try row.next()
        note = try row.next(as: Bytes?.self)?.array
        dataKey = try row.next(as: Bytes.self).array
    }

    @LoopActor func open(_ ring: KeyRing, _ scope: PatientScope) throws -> (grant: BreakGlass, vault: PatientVault) {
        let vault = try PatientVault(of: patient, wrappedKey: dataKey, ring: ring, for: scope)
        func text(_ box: [UInt8], _ column: String) throws -> String {
            String(decoding: try vault.open(box, "glass_grant", column, row: id.description), as: UTF8.self)
        }
        var review: BreakGlass.Review?
        if let at = reviewedAt, let by = reviewedBy, let outcome = outcome.flatMap(BreakGlass.Outcome.init(rawValue:)) {
            review = BreakGlass.Review(at: at, by: by, outcome: outcome, note: try note.map { try text($0, "note") })
        }
        let grant = BreakGlass(
            id: id, kind: kind, patient: patient, account: account, location: location,
            reason: try text(reason, "reason"), grantedAt: grantedAt, expiresAt: expiresAt, review: review)
        return (grant, vault)
    }
}
