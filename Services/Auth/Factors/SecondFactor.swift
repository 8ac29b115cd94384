import Access
import Bootstrap
import Cryptography
import Loop
import Postgres
import Primitives

/// Decides what a session is worth: whether a second factor is there, is asked for, and was shown.
@LoopActor struct SecondFactor {
    let host: Host
    let vaults: Vaults
    let policy: SecurityPolicy
    /// Recovery codes are hashed with the first of them; those that were printed under a former one are good as long as it is there.
    let peppers: RotatingKeys

    func store(for tenant: TenantID, _ sql: any SQLSession) async throws -> FactorStore {
        FactorStore(sql: sql, vault: try await vaults.vault(of: tenant, sql))
    }

    func standing(of account: AccountID, in tenant: TenantID, _ sql: any SQLSession) async throws -> Standing {
        try await store(for: tenant, sql).standing(of: account)
    }

    /// What signing in with the right password and this code comes to. Throws `otpRequired` or `otpWrong`.
    func assurance(
        of credential: Credential, in tenant: TenantID, otp: String?, at now: Timestamp, _ tx: Transaction
    ) async throws -> Assurance {
        let store = try await store(for: tenant, tx)
        let standing = try await store.standing(of: credential.account)
        guard standing.hasSecondFactor else {
            return try await policy.asks(credential.roles, tx) ? .enrolling : .single
        }
        guard let otp, !otp.isEmpty else { throw SignInError.otpRequired }
        guard try await spend(otp, of: credential.account, store, at: now) else { throw SignInError.otpWrong }
        return .multi
    }

    /// Takes an app's code or a recovery code, once.
    func spend(_ typed: String, of account: AccountID, _ store: FactorStore, at now: Timestamp) async throws -> Bool {
        let code = typed.filter { $0 != " " }
        if code.utf8.count == 6 {
            guard let totp = try await store.confirmed(of: account), let step = totp.step(of: code, at: now) else { return false }
            return try await store.spend(step, of: account)
        }
        guard let recovery = RecoveryCode(code) else { return false }
        for key in recoveryKeys.all where try await store.spendRecovery(recovery.hash(key), of: account, at: now) { return true }
        return false
    }

    /// Throws when what is left after a removal is less than the clinic asks for, or a short password alone.
    func requireEnough(of caller: Principal, _ store: FactorStore, _ tx: Transaction) async throws {
        guard try await !store.standing(of: caller.account).hasSecondFactor else { return }
        try await store.removeRecoveryCodes(of: caller.account)
        if try await policy.asks(caller.roles, tx) { throw FactorError.lastFactor }
        guard try await CredentialStore(sql: tx).passwordStandsAlone(caller.account) else {
            throw FactorError.passwordTooShortAlone
        }
    }

    /// Ten new recovery codes; the old ones open nothing any more.
    func freshCodes(of account: AccountID, _ store: FactorStore) async throws -> [RecoveryCode] {
        let codes = (0..<RecoveryCode.count).map { _ in RecoveryCode() }
        try await store.replaceRecoveryCodes(codes.map { $0.hash(recoveryKeys.current) }, of: account)
        return codes
    }

    private var recoveryKeys: KeyChain { peppers.keys(for: "recovery codes") }

    func removeAll(of account: AccountID, _ store: FactorStore) async throws {
        _ = try await store.removeTOTP(of: account)
        try await store.removeRecoveryCodes(of: account)
        try await PasskeyStore(sql: store.sql).removeAll(of: account)
    }

    /// Counts a wrong code in a transaction of its own: the one that refused it rolls back.
    func noteFailure(of account: AccountID, in tenant: TenantID) async throws {
        try await host.db.transaction(for: tenant) { tx in
            try await store(for: tenant, tx).noteFailure(of: account)
        }
    }
}
