import Loop
import Postgres
import Primitives

/// Every statement that touches `proxy_grant`.
@LoopActor struct ProxyGrantStore {
    let sql: any SQLSession

    private static let columns =
        "id, account_id, patient_id, relation, proof, valid_from, valid_until, granted_by, granted_at, revoked_at"

    func insert(_ grant: ProxyGrant) async throws {
        try await onConstraint("proxy_grant_one_living", throw: ProxyError.grantedAlready) {
            _ = try await sql.run(
                """
                insert into proxy_grant (id, account_id, patient_id, relation, proof, valid_from, valid_until, granted_by,
                                         granted_at)
                values (\(grant.id), \(grant.account), \(grant.patient), \(grant.relation.rawValue),
                        \(grant.proof.rawValue), \(grant.from), \(grant.until), \(grant.grantedBy), \(grant.grantedAt))
                """)
        }
    }

    func findForUpdate(_ id: ID<ProxyGrant>) async throws -> ProxyGrant? {
        try await sql.first(
            "select \(unsafe: Self.columns) from proxy_grant where id = \(id) for update", as: ProxyGrant.init(row:))
    }

    /// Those of a patient, or those an account has; newest first.
    func list(patient: PatientID?, account: AccountID?) async throws -> [ProxyGrant] {
        try await sql.all(
            """
            select \(unsafe: Self.columns) from proxy_grant
            where (patient_id = \(patient)::uuid or account_id = \(account)::uuid)
            order by id desc limit 100
            """, as: ProxyGrant.init(row:))
    }

    func count(of account: AccountID) async throws -> Int {
        try await sql.first(
            "select count(*) from proxy_grant where account_id = \(account) and revoked_at is null",
            as: { row in try row.next(as: Int.self) }) ?? 0
    }

    func revoke(_ id: ID<ProxyGrant>, by account: AccountID, at now: Timestamp) async throws {
        try await sql.run(
            "update proxy_grant set revoked_at = \(now), revoked_by = \(account) where id = \(id) and revoked_at is null")
    }
}

extension ProxyGrant {
    fileprivate init(row: inout Row) throws {
        id = try row.next()
        account = try row.next()
        patient = try row.next()
        relation = Relation(rawValue: try row.next()) ?? .other
        proof = Proof(rawValue: try row.next()) ?? .identitySeen
        from = try row.next()
        until = try row.next()
        grantedBy = try row.next()
        grantedAt = try row.next()
        revokedAt = try row.next()
    }
}
