import Access
import Loop
import Postgres
import Primitives

/// Every statement that touches `proxy_grant`. The last day passes through the tenant's vault; in clear there is its year.
@LoopActor struct ProxyGrantStore {
    let sql: any SQLSession
    let vault: Vault

    private static let columns =
        "id, account_id, patient_id, relation, proof, valid_from, valid_until, last_day, granted_by, granted_at, revoked_at"

    func insert(_ grant: ProxyGrant) async throws {
        try await onConstraint("proxy_grant_one_living", throw: ProxyError.grantedAlready) {
            _ = try await sql.run(
                """
                insert into proxy_grant (id, account_id, patient_id, relation, proof, valid_from, valid_until, last_day,
                                         granted_by, granted_at)
                values (\(grant.id), \(grant.account), \(grant.patient), \(grant.relation.rawValue),
                        \(grant.proof.rawValue), \(grant.from), \(grant.until?.endOfYear), \(try sealed(grant)),
                        \(grant.grantedBy), \(grant.grantedAt))
                """)
        }
    }

    func findForUpdate(_ id: ID<ProxyGrant>) async throws -> ProxyGrant? {
        try await sql.first(
            "select \(unsafe: Self.columns) from proxy_grant where id = \(id) for update", as: read)
    }

    /// Those of a patient, or those an account has; newest first.
    func list(patient: PatientID?, account: AccountID?, limit: Int = 100) async throws -> [ProxyGrant] {
        try await sql.all(
            """
            select \(unsafe: Self.columns) from proxy_grant
            where (patient_id = \(patient)::uuid or account_id = \(account)::uuid)
            order by id desc limit \(limit)
            """, as: read)
    }

    /// Those of before last days were sealed; without those that end too late for the table's rule of today.
    func unsealed(limit: Int) async throws -> [ProxyGrant] {
        try await sql.all(
            """
            select \(unsafe: Self.columns) from proxy_grant
            where valid_until is not null and last_day is null
              and (relation not in ('parent', 'guardian') and proof <> 'birth_certificate' or valid_until <= valid_from + 6575)
            limit \(limit) for update skip locked
            """, as: read)
    }

    func seal(_ grant: ProxyGrant) async throws {
        try await sql.run(
            """
            update proxy_grant set last_day = \(try sealed(grant)), valid_until = \(grant.until?.endOfYear)
            where id = \(grant.id)
            """)
    }

    func living(of account: AccountID) async throws -> [ProxyGrant] {
        try await sql.all(
            "select \(unsafe: Self.columns) from proxy_grant where account_id = \(account) and revoked_at is null order by patient_id",
            as: read)
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

    private func sealed(_ grant: ProxyGrant) throws -> Bytes? {
        try grant.until.map { try vault.seal($0.description, for: Self.lastDay(grant.id)) }
    }

    /// The day that is sealed, or the one in clear of before days were sealed.
    private func opened(_ sealed: Bytes?, _ id: ID<ProxyGrant>, inClear day: LocalDate?) throws -> LocalDate? {
        guard let sealed else { return day }
        guard let day = LocalDate(try vault.open(sealed, for: Self.lastDay(id))) else {
            throw PostgresError(.decoding, message: "proxy_grant: no day")
        }
        return day
    }

    private static func lastDay(_ id: ID<ProxyGrant>) -> String { "proxy_grant|last_day|\(id)" }

    private func read(_ row: inout Row) throws -> ProxyGrant {
        let id: ID<ProxyGrant> = try row.next()
        let account: AccountID = try row.next()
        let patient: PatientID = try row.next()
        let relation = ProxyGrant.Relation(rawValue: try row.next()) ?? .other
        let proof = ProxyGrant.Proof(rawValue: try row.next()) ?? .identitySeen
        let from: LocalDate = try row.next()
        let inClear: LocalDate? = try row.next()
        let until = try opened(try row.next(), id, inClear: inClear)
        return ProxyGrant(
            id: id, account: account, patient: patient, relation: relation, proof: proof, from: from, until: until,
            grantedBy: try row.next(), grantedAt: try row.next(), revokedAt: try row.next())
    }
}

extension Credential {
    /// Those they act for today, as it is at their site: what a token names.
    @LoopActor func actsFor(
        _ vaults: Vaults, in tenant: TenantID, _ sql: any SQLSession, at now: Timestamp
    ) async throws -> [PatientID] {
        guard !roles.isDisjoint(with: ProxyGrant.holders) else { return [] }
        let today = (Zone(zone) ?? .utc).localDate(of: now)
        let store = ProxyGrantStore(sql: sql, vault: try await vaults.vault(of: tenant, sql))
        return try await store.living(of: account).filter { $0.holds(on: today) }.map(\.patient)
    }
}

extension LocalDate {
    /// What says nothing but the year: a birthday does not show in it.
    fileprivate var endOfYear: LocalDate { LocalDate(year: year, month: 12, day: 31) ?? self }
}
