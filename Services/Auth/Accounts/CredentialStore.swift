import Access
import Loop
import Postgres
import Primitives

/// What signing in needs to know of an account: the statements that read and write secrets, and no names.
@LoopActor struct CredentialStore {
    let sql: any SQLSession

    /// Whose address this is, in whichever tenant, by any index key. The session is scoped to none.
    func find(_ index: [Bytes]) async throws -> (account: AccountID, tenant: TenantID)? {
        try await sql.first(
            "select account_id, tenant_id from login where email_index = any (\(index)::bytea[]) limit 1",
            as: { row in (try row.next(as: AccountID.self), try row.next(as: TenantID.self)) })
    }

    func read(_ account: AccountID) async throws -> Credential? {
        try await sql.first(Self.query(account), as: Credential.init(row:))
    }

    /// The same, and nobody changes the account until this transaction has committed: a session that begins beside
    /// a deactivation either is ended by it or does not begin.
    ///
    /// Held first and read after: one statement would wait for whoever takes back a right and then still see it.
    func readHolding(_ account: AccountID) async throws -> Credential? {
        try await sql.run("select from account where id = \(account) for share")
        return try await read(account)
    }

    /// Waits for whoever holds the account, and keeps others from it until the transaction ends.
    func lock(_ account: AccountID) async throws {
        try await sql.run("select from account where id = \(account) for update")
    }

    private static func query(_ account: AccountID) -> SQL {
        """
        select a.id, a.password_hash, a.password_expires_at, a.active, array_to_string(a.roles, ','), a.location_id, l.zone, l.currency,
               a.patient_id
        from account a join location l on l.id = a.location_id
        where a.id = \(account)
        """
    }

    /// Instead of whatever the account has: good for choosing another.
    func give(_ passwordHash: String, until end: Timestamp, to account: AccountID) async throws {
        try await sql.run(
            """
            update account set password_hash = \(passwordHash), password_stands_alone = true, password_expires_at = \(end)
            where id = \(account)
            """)
    }

    /// `standsAlone`: whether it is long enough without a second factor; nil when it is the same password. Another one is
    /// the owner's own.
    func save(
        _ passwordHash: String, standsAlone: Bool? = nil, of account: AccountID, insteadOf old: String
    ) async throws -> Bool {
        try await sql.run(
            """
            update account set password_hash = \(passwordHash),
                password_stands_alone = coalesce(\(standsAlone)::boolean, password_stands_alone),
                password_expires_at = case when \(standsAlone)::boolean is null then password_expires_at end
            where id = \(account) and password_hash = \(old) and active
            """) == 1
    }
}

extension CredentialStore {
    func passwordStandsAlone(_ account: AccountID) async throws -> Bool {
        try await sql.first(
            "select password_stands_alone from account where id = \(account)", as: { row in try row.next(as: Bool.self) })
            ?? false
    }
}

/// What an access token is made of, with the hash that earns it.
struct Credential: Sendable {
    let account: AccountID
    let passwordHash: String
    /// Until when a password that an administrator has seen is good, and only for choosing another; nil for one's own.
    let passwordExpiresAt: Timestamp?
    let isActive: Bool
    let roles: Set<Role>
    let location: LocationID
    let zone: String
    let currency: Currency
    let patient: PatientID?

    /// The most telling role, for the audit trail.
    var mainRole: Role { Role.allCases.reversed().first { roles.contains($0) } ?? .service }
    var isOnlyPatient: Bool { roles.isSubset(of: [.patient]) }
}

extension Credential {
    init(row: inout Row) throws {
        account = try row.next()
        passwordHash = try row.next()
        passwordExpiresAt = try row.next()
        isActive = try row.next()
        roles = Auth.roles(try row.next())
        location = try row.next()
        zone = try row.next()
        currency = try row.next()
        patient = try row.next()
    }
}
