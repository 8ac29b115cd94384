import Access
import Bootstrap
import Cryptography
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// Turns an address and a password into a session, and says no more to a stranger than "no".
///
/// An unknown address costs the same statements and the same Argon2id as a known one, and a deactivated account
/// is answered like a wrong password.
@LoopActor struct SignIn {
    let host: Host
    let config: AuthConfig
    let vaults: Vaults
    let emailIndex: EmailIndex
    let hashing: PasswordHash
    let issuer: TokenIssuer
    let factor: SecondFactor
    let devices: KnownDevice
    let sprays: SprayWatch
    let notices: SecurityNotice

    /// First-party signing in: everything is shown in one request, and a session begins.
    func callAsFunction(
        email typed: String, password: String, otp: String? = nil, newPassword: String? = nil, _ request: Request
    ) async throws -> TokenPair {
        let proof = try await prove(email: typed, password: password, newPassword: newPassword, request)
        return try await countingCodes(of: proof, request) { try await begin(proof, otp, request) }
    }

    /// Asking for the code is no failure; a wrong one is, of the attempt and of the factor.
    func countingCodes<T>(
        of proof: Proof, _ request: Request, _ body: @LoopActor () async throws -> T
    ) async throws -> T {
        do { return try await body() } catch SignInError.otpRequired {
            try? await giveBack(proof.keys, proof.isKnown ? nil : proof.account)
            throw SignInError.otpRequired
        } catch SignInError.otpWrong {
            try await factor.noteFailure(of: proof.credential.account, in: proof.tenant)
            try await recordFailure(of: proof.credential, in: proof.tenant, request)
            throw SignInError.otpWrong
        }
    }

    /// The first step: whose address this is, if the password is right. The attempt stays counted until `settle`.
    func prove(
        email typed: String, password: String, newPassword: String? = nil, _ request: Request
    ) async throws -> Proof {
        let origin = devices.origin(of: request, for: typed)
        let keys = emailIndex.failureKeys(typed, from: origin.name)
        let account = emailIndex.failureKeys(typed, from: "everywhere").both
        let found = try await admit(typed, keys, account, isKnown: origin.isKnown)
        // Somebody else's tenant for a stranger's address: the same statement, and no row.
        let tenant = found?.tenant ?? TenantID()
        let credential = try await CredentialStore(sql: host.db.reader(for: tenant)).read(found?.account ?? AccountID())

        let check: Check
        do {
            check = try await self.check(password, credential?.passwordHash)
        } catch {
            try? await giveBack(keys, origin.isKnown ? nil : account)  // We were too busy to look; that was no failure.
            throw error
        }
        guard let credential, check.isRight, credential.isActive, credential.passwordExpiresAt.map({ host.now() < $0 }) ?? true
        else {
            try await sprays.note(typed, in: found?.tenant)
            try await recordFailure(of: credential, in: tenant, request)
            throw SignInError.invalidCredentials
        }
        var proof = Proof(
            credential: credential, tenant: tenant, keys: keys, account: account, isKnown: origin.isKnown,
            rehashed: check.rehashed)
        if credential.passwordExpiresAt != nil {
            do { proof.chosen = try await choose(newPassword, insteadOf: password, typed) } catch {
                try? await giveBack(keys, origin.isKnown ? nil : account)  // The password was right.
                throw error
            }
        }
        return proof
    }

    /// The hash of the password that somebody chooses instead of the one an administrator gave them.
    private func choose(_ chosen: String?, insteadOf given: String, _ typed: String) async throws -> String {
        guard let chosen else { throw SignInError.passwordChangeRequired }
        guard chosen != given else { throw Problem.invalid("newPassword", "unchanged", "Choose another than you were given.") }
        do { try config.passwords.check(chosen, address: typed, hasSecondFactor: false) } catch {
            throw Problem.invalid([error.fieldError("newPassword")])
        }
        let hashing = hashing
        return try await host.blocking.run { try hashing.make(chosen) }
    }

    /// Ends the tally that `prove` began, and reads the account again: nobody deactivates it, and no password
    /// changes, before `tx` has committed.
    func settle(_ proof: Proof, _ tx: Transaction) async throws -> Credential {
        guard let credential = try await CredentialStore(sql: tx).readHolding(proof.credential.account),
            credential.isActive, credential.passwordHash == proof.credential.passwordHash
        else { throw SignInError.invalidCredentials }
        if let chosen = proof.chosen {
            guard try await CredentialStore(sql: tx).save(
                chosen, standsAlone: true, of: credential.account, insteadOf: credential.passwordHash)
            else { throw SignInError.invalidCredentials }
            try await notices.tell(credential.account, in: proof.tenant, of: .password, tx)
            try tx.audit("change_password", "account", credential.account.description)
        } else if let rehashed = proof.rehashed {
            _ = try await CredentialStore(sql: tx).save(
                rehashed, of: credential.account, insteadOf: credential.passwordHash)
        }
        try await LoginFailureStore(sql: tx).clear(proof.keys.both)
        try await LoginFailureStore(sql: tx).takeBack(proof.keys.client)
        try await LoginFailureStore(sql: tx).clear(proof.account)  // In the order in which `admit` locks them.
        return credential
    }

    /// Counts the attempt before the password is looked at, so parallel guesses cannot outrun the tally.
    private func admit(
        _ typed: String, _ keys: (both: Bytes, client: Bytes), _ account: Bytes, isKnown: Bool
    ) async throws -> (account: AccountID, tenant: TenantID)? {
        let now = host.now()
        let index = Contact(typed).map { emailIndex($0) }
        return try await host.db.systemTransaction { tx in
            let failures = LoginFailureStore(sql: tx)
            let mine = try await failures.claim(keys.both, at: now)
            let everybody = try await failures.claim(keys.client, at: now)
            let all = try await failures.claim(account, at: now)
            let waits = [
                config.throttle.wait(after: mine, at: now), config.addressThrottle.wait(after: everybody, at: now),
                isKnown ? nil : LoginThrottle.perAccount.wait(after: all, at: now),
            ]
            if let wait = waits.compactMap({ $0 }).max() { throw SignInError.tooManyAttempts(wait: wait) }
            try await failures.save(config.throttle.counting(mine, at: now), under: keys.both)
            try await failures.save(config.addressThrottle.counting(everybody, at: now), under: keys.client)
            if !isKnown { try await failures.save(LoginThrottle.perAccount.counting(all, at: now), under: account) }
            return try await CredentialStore(sql: tx).find(index ?? [])
        }
    }

    private struct Check {
        let isRight: Bool
        /// The same password under the parameters of today, when the hash is of older ones.
        var rehashed: String?
    }

    private func check(_ password: String, _ hash: String?) async throws -> Check {
        let hashing = hashing
        return try await host.blocking.run {
            guard let hash else {
                _ = try hashing.make(password)
                return Check(isRight: false)
            }
            guard try hashing.verify(password, against: hash) else { return Check(isRight: false) }
            return Check(isRight: true, rehashed: hashing.needsRehash(hash) ? try hashing.make(password) : nil)
        }
    }

    /// `account` only when the attempt was counted under it: a known browser's is not.
    private func giveBack(_ keys: (both: Bytes, client: Bytes), _ account: Bytes?) async throws {
        try await host.db.systemTransaction { tx in
            try await LoginFailureStore(sql: tx).takeBack(keys.both)
            try await LoginFailureStore(sql: tx).takeBack(keys.client)
            if let account { try await LoginFailureStore(sql: tx).takeBack(account) }
        }
    }

    /// An unknown address has no tenant whose audit trail could hold it; the tally alone knows of it.
    private func recordFailure(of credential: Credential?, in tenant: TenantID, _ request: Request) async throws {
        guard let credential else {
            // Takes as long as the entry that a known address leaves: one row, one commit, of a session without rights.
            let now = host.now()
            let key = emailIndex.failureKeys("unknown", from: request.network).both
            return try await host.db.transaction(for: tenant) { tx in
                try await LoginFailureStore(sql: tx).save(.init(failures: 1, firstAt: now, lastAt: now), under: key)
            }
        }
        let cause = Cause(
            tenant: tenant, actor: credential.account, role: credential.mainRole.rawValue, traceparent: request.traceparent)
        try await Audit.denied("sign_in", "account", credential.account.description, cause: cause, in: host.db)
    }

    private func begin(_ proof: Proof, _ otp: String?, _ request: Request) async throws -> TokenPair {
        let tenant = proof.tenant
        let cause = Cause(
            tenant: tenant, actor: proof.credential.account, role: proof.credential.mainRole.rawValue,
            traceparent: request.traceparent)
        return try await host.transaction(for: tenant, as: cause) { tx in
            let credential = try await settle(proof, tx)
            let assurance = try await factor.assurance(of: credential, in: tenant, otp: otp, at: host.now(), tx)
            return try await open(credential, assurance, in: tenant, tx)
        }
    }

    /// A session for somebody who has proved who they are.
    func open(
        _ credential: Credential, _ assurance: Assurance, in tenant: TenantID, _ tx: Transaction
    ) async throws -> TokenPair {
        let now = host.now()
        let session = Session.begin(credential, assurance, try await issuer.settings(of: tenant, tx), at: now)
        let token = RefreshToken(tenant: tenant, session: session.id)
        try await SessionStore(sql: tx).insert(session)
        try await SessionStore(sql: tx).insert(token, at: now)
        try tx.audit("sign_in", "session", session.id.description)

        let account = try await AccountStore(sql: tx, vault: try await vaults.vault(of: tenant, tx)).find(credential.account)
        var pair = try await issuer.pair(credential, tenant, session, token, tx, at: now)
        pair.user = account.map { SignedInUser(id: $0.id, name: $0.name, roles: $0.roleNames, tenant: tenant) }
        return pair
    }
}

/// A right password, and the account as it was when it was checked.
struct Proof: Sendable {
    let credential: Credential
    let tenant: TenantID
    /// What the attempt was counted under.
    let keys: (both: Bytes, client: Bytes)
    /// And, of all addresses together, the account.
    let account: Bytes
    /// From a browser that we know.
    let isKnown: Bool
    /// What to keep instead of the old hash; nil when it is as it should be.
    var rehashed: String?
    /// The hash of the password that its owner chose instead of a temporary one.
    var chosen: String?
}
