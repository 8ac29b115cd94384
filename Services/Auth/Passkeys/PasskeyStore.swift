import Loop
import Postgres
import Primitives

/// Every statement that touches `passkey`.
@LoopActor struct PasskeyStore {
    let sql: any SQLSession

    private static let columns = "id, account_id, credential_id, algorithm, public_key, sign_count, created_at, last_used_at"

    func insert(_ passkey: Passkey) async throws {
        try await onConstraint("passkey_credential_once", throw: PasskeyError.registeredAlready) {
            _ = try await sql.run(
                """
                insert into passkey (id, account_id, credential_id, algorithm, public_key, sign_count, created_at)
                values (\(passkey.id), \(passkey.account), \(Bytes(passkey.credential)), \(passkey.key.algorithm),
                        \(Bytes(passkey.key.stored)), \(passkey.signCount), \(passkey.createdAt))
                """)
        }
    }

    func list(of account: AccountID) async throws -> [Passkey] {
        try await sql.all(
            "select \(unsafe: Self.columns) from passkey where account_id = \(account) order by id limit 20", as: Passkey.init(row:))
    }

    /// Locked, so that two answers are counted one after the other.
    func findForUpdate(_ credential: [UInt8], of account: AccountID) async throws -> Passkey? {
        try await sql.first(
            """
            select \(unsafe: Self.columns) from passkey
            where credential_id = \(Bytes(credential)) and account_id = \(account) for update
            """, as: Passkey.init(row:))
    }

    func used(_ passkey: Passkey) async throws {
        try await sql.run(
            "update passkey set sign_count = \(passkey.signCount), last_used_at = \(passkey.lastUsedAt) where id = \(passkey.id)")
    }

    func remove(_ id: PasskeyID, of account: AccountID) async throws -> Bool {
        try await sql.run("delete from passkey where id = \(id) and account_id = \(account)") == 1
    }

    func removeAll(of account: AccountID) async throws {
        try await sql.run("delete from passkey where account_id = \(account)")
    }
}

extension Passkey {
    fileprivate init(row: inout Row) throws {
        let id: PasskeyID = try row.next()
        let account: AccountID = try row.next()
        let credential = try row.next(as: Bytes.self).array
        let key = try PasskeyKey(algorithm: try row.next(as: Int64.self), stored: try row.next(as: Bytes.self).array)
        self.init(
            id: id, account: account, credential: credential, key: key, signCount: try row.next(),
            createdAt: try row.next(), lastUsedAt: try row.next())
    }
}
