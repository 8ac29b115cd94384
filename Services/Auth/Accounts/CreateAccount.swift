import Contracts
import Loop
import Messaging
import Postgres
import Primitives

/// Writes down a new account and says so: for administrators over HTTP, and for the command that opens a tenant.
@LoopActor struct CreateAccount {
    let vaults: Vaults
    let emailIndex: EmailIndex

    func callAsFunction(
        _ account: Account, email: EmailAddress, passwordHash: String, expiresAt: Timestamp? = nil, in tenant: TenantID,
        _ tx: Transaction
    ) async throws {
        try await self(account, index: emailIndex(email), passwordHash: passwordHash, expiresAt: expiresAt, in: tenant, tx)
    }

    /// `index`: of whatever the person signs in with.
    func callAsFunction(
        _ account: Account, index: [Bytes], passwordHash: String, expiresAt: Timestamp? = nil, in tenant: TenantID,
        _ tx: Transaction
    ) async throws {
        guard let location = try await LocationStore(sql: tx).find(account.location) else {
            throw AccountError.locationUnknown
        }
        let store = AccountStore(sql: tx, vault: try await vaults.vault(of: tenant, tx))
        try await store.insert(account, passwordHash: passwordHash, expiresAt: expiresAt, emailIndex: index)
        try tx.announce(AccountCreated(account, zone: location.zone), revision: account.version)
        try tx.audit("create", "account", account.id.description, after: account.audited)
        if let patient = account.patient { tx.concerns(patient) }
    }
}
