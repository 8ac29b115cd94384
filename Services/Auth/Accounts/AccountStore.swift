import Access
import Loop
import Postgres
import Primitives

/// Every statement that touches `account` and `login`. Names and addresses pass through the tenant's vault.
@LoopActor struct AccountStore {
    let sql: any SQLSession
    let vault: Vault

    private static let columns =
        "id, name, email, array_to_string(roles, ','), location_id, patient_id, active, valid_from, version, created_at"

    func find(_ id: AccountID) async throws -> Account? {
        try await sql.first("select \(unsafe: Self.columns) from account where id = \(id)", as: read)
    }

    /// The account and, when its access may change, all active administrators: locked in one order, so that two
    /// administrators who remove each other are heard one after the other.
    func findForUpdate(_ id: AccountID, withAdmins: Bool) async throws -> (account: Account, isOnlyAdmin: Bool)? {
        let found = try await sql.all(
            """
            select \(unsafe: Self.columns) from account
            where id = \(id) or (\(withAdmins) and active and 'admin' = any (roles))
            order by id for update
            """, as: read)
        guard let account = found.first(where: { $0.id == id }) else { return nil }
        let others = found.contains { $0.id != id && $0.isActive && $0.roles.contains(.admin) }
        return (account, !others)
    }

    /// Pages in the order the accounts were made.
    func page(role: Role?, isActive: Bool?, after id: AccountID?, limit: Int) async throws -> [Account] {
        try await sql.all(
            """
            select \(unsafe: Self.columns) from account
            where (\(id)::uuid is null or id > \(id))
              and (\(role?.rawValue)::text is null or \(role?.rawValue) = any (roles))
              and (\(isActive)::boolean is null or active = \(isActive))
            order by id limit \(limit)
            """, as: read)
    }

    func insert(
        _ account: Account, passwordHash: String, expiresAt: Timestamp? = nil, emailIndex: [Bytes]
    ) async throws {
        try await enter(emailIndex, for: account.id)
        try await sql.run(
            """
            insert into account (id, name, email, password_hash, password_expires_at, roles, location_id, patient_id,
                                 valid_from, created_at)
            values (\(account.id), \(try vault.seal(account.name, for: Self.name(account.id))),
                    \(try vault.seal(account.email, for: Self.email(account.id))), \(passwordHash),
                    \(expiresAt), \(account.roleNames), \(account.location), \(account.patient), \(account.validFrom),
                    \(account.createdAt))
            """)
    }

    /// False when somebody changed it since this version. The new version is one more.
    func update(_ account: Account) async throws -> Bool {
        let touched = try await sql.run(
            """
            update account
            set name = \(try vault.seal(account.name, for: Self.name(account.id))),
                email = \(try vault.seal(account.email, for: Self.email(account.id))), roles = \(account.roleNames),
                location_id = \(account.location), active = \(account.isActive), valid_from = \(account.validFrom),
                version = version + 1
            where id = \(account.id) and version = \(account.version)
            """)
        return touched == 1
    }

    /// From now on the account is found by another address.
    func move(_ id: AccountID, to emailIndex: [Bytes]) async throws {
        // Whoever was erased is found by none.
        guard try await sql.run("delete from login where account_id = \(id)") > 0 else { throw AccountError.erased }
        try await enter(emailIndex, for: id)
    }

    /// The key of `login` is the real guard; a look before it would race.
    private func enter(_ emailIndex: [Bytes], for id: AccountID) async throws {
        try await onConstraint("login_email_once", throw: AccountError.emailTaken) {
            _ = try await sql.run(
                "insert into login (email_index, account_id) select unnest(\(emailIndex)::bytea[]), \(id)")
        }
    }

    // MARK: while index keys change

    /// Pages of accounts, kept from moving to another address until the transaction ends.
    func hold(after id: AccountID, limit: Int) async throws -> [Account] {
        try await sql.all(
            "select \(unsafe: Self.columns) from account where id > \(id) order by id limit \(limit) for update", as: read)
    }

    /// What these accounts are found by. Whoever was erased has nothing.
    func logins(of ids: [AccountID]) async throws -> [AccountID: [Bytes]] {
        let rows = try await sql.all(
            "select account_id, email_index from login where account_id = any (\(ids)::uuid[])",
            as: { row in (try row.next(as: AccountID.self), try row.next(as: Bytes.self)) })
        return Dictionary(grouping: rows, by: \.0).mapValues { $0.map(\.1) }
    }

    /// False when another account is found by one of these.
    func add(_ emailIndex: [Bytes], to id: AccountID) async throws -> Bool {
        try await sql.run(
            """
            insert into login (email_index, account_id) select unnest(\(emailIndex)::bytea[]), \(id) on conflict do nothing
            """) == emailIndex.count
    }

    func remove(_ emailIndex: [Bytes], from id: AccountID) async throws {
        try await sql.run(
            "delete from login where account_id = \(id) and email_index = any (\(emailIndex)::bytea[])")
    }

    private func read(_ row: inout Row) throws -> Account {
        let id: AccountID = try row.next()
        let name: Bytes = try row.next()
        let email: Bytes = try row.next()
        return Account(
            id: id, name: try vault.open(name, for: Self.name(id)), email: try vault.open(email, for: Self.email(id)),
            roles: roles(try row.next()), location: try row.next(), patient: try row.next(), isActive: try row.next(),
            validFrom: try row.next(), version: try row.next(), createdAt: try row.next())
    }

    private static func name(_ id: AccountID) -> String { "account|name|\(id)" }
    private static func email(_ id: AccountID) -> String { "account|email|\(id)" }
}

/// What `array_to_string(roles, ',')` holds. A role that this version does not know gives no right.
func roles(_ text: String) -> Set<Role> { Set(text.split(separator: ",").compactMap { Role(rawValue: String($0)) }) }
