import Access
import Loop
import Postgres
import Primitives

/// Every statement that touches `totp` and `recovery_code`.
@LoopActor struct FactorStore {
    let sql: any SQLSession
    let vault: Vault

    /// Wrong codes in a row after which an app's codes are no longer looked at (NIST SP 800-63B 3.2.2: at most 100).
    /// Only somebody who knows the password comes this far, and recovery codes and passkeys still open.
    static let failureLimit = 100

    // MARK: one-time codes

    /// What the account has to prove itself with.
    func standing(of account: AccountID) async throws -> Standing {
        let found = try await sql.first(
            """
            select exists (select 1 from totp where account_id = \(account) and confirmed_at is not null),
                   (select count(*) from recovery_code where account_id = \(account) and used_at is null),
                   (select count(*) from passkey where account_id = \(account))
            """,
            as: { row in Standing(hasTOTP: try row.next(), recoveryCodes: try row.next(), passkeys: try row.next()) })
        return found ?? Standing(hasTOTP: false, recoveryCodes: 0)
    }

    func confirmed(of account: AccountID) async throws -> TOTP? { try await secret(of: account, isConfirmed: true) }
    func pending(of account: AccountID) async throws -> TOTP? { try await secret(of: account, isConfirmed: false) }

    private func secret(of account: AccountID, isConfirmed: Bool) async throws -> TOTP? {
        let sealed = try await sql.first(
            """
            select secret from totp
            where account_id = \(account) and (confirmed_at is not null) = \(isConfirmed) and failures < \(Self.failureLimit)
            """, as: { row in try row.next(as: Bytes.self) })
        return try sealed.map { TOTP(secret: try vault.openBytes($0, for: Self.column(account))) }
    }

    /// Begins an enrolment, or begins it anew; false when a confirmed one is there.
    func enrol(_ totp: TOTP, for account: AccountID, at now: Timestamp) async throws -> Bool {
        let sealed = try vault.sealBytes(totp.secret, for: Self.column(account))
        return try await sql.run(
            """
            insert into totp (account_id, secret, created_at) values (\(account), \(sealed), \(now))
            on conflict (account_id) do update set secret = excluded.secret, created_at = excluded.created_at, failures = 0
            where totp.confirmed_at is null
            """) == 1
    }

    func confirm(_ step: Int64, of account: AccountID, at now: Timestamp) async throws -> Bool {
        try await sql.run(
            """
            update totp set confirmed_at = \(now), last_step = \(step), failures = 0
            where account_id = \(account) and confirmed_at is null
            """) == 1
    }

    /// Takes the code of `step`; false when it or a later one was taken before. One statement, so of any number of
    /// replays at once one is first.
    func spend(_ step: Int64, of account: AccountID) async throws -> Bool {
        try await sql.run(
            """
            update totp set last_step = \(step), failures = 0
            where account_id = \(account) and confirmed_at is not null and last_step < \(step)
            """) == 1
    }

    func noteFailure(of account: AccountID) async throws {
        try await sql.run("update totp set failures = least(failures + 1, 1000000) where account_id = \(account)")
    }

    func removeTOTP(of account: AccountID) async throws -> Bool {
        try await sql.run("delete from totp where account_id = \(account)") == 1
    }

    // MARK: recovery codes

    /// New codes; the old ones open nothing any more.
    func replaceRecoveryCodes(_ hashes: [Bytes], of account: AccountID) async throws {
        try await removeRecoveryCodes(of: account)
        for hash in hashes {
            try await sql.run("insert into recovery_code (account_id, hash) values (\(account), \(hash))")
        }
    }

    /// Takes a code; false when there is no such one, or it was taken before.
    func spendRecovery(_ hash: Bytes, of account: AccountID, at now: Timestamp) async throws -> Bool {
        try await sql.run(
            """
            update recovery_code set used_at = \(now)
            where account_id = \(account) and hash = \(hash) and used_at is null
            """) == 1
    }

    func removeRecoveryCodes(of account: AccountID) async throws {
        try await sql.run("delete from recovery_code where account_id = \(account)")
    }

    private static func column(_ account: AccountID) -> String { "totp|secret|\(account)" }
}

/// What an account has beside its password.
struct Standing: Equatable, Sendable {
    var hasTOTP: Bool
    var recoveryCodes: Int
    var passkeys = 0

    /// Recovery codes alone are none: they come with one.
    var hasSecondFactor: Bool { hasTOTP || passkeys > 0 }
}
