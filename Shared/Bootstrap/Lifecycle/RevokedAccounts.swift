import Access
import Contracts
import Loop
import Messaging
import Postgres
import Primitives

/// Keeps this process' `Revocations` in step with tables `revoked_account` and `revoked_session`.
@LoopActor final class RevokedAccounts {
    private let host: Host
    /// Whether the table was read at least once: before that, no token can be trusted.
    private(set) var isLoaded = false

    init(_ host: Host) { self.host = host }

    /// Reloads on every notification and every 5 seconds, whatever happens to either.
    var worker: Worker {
        Worker("revocations") {
            self.host.db.listen("\(self.host.config.postgres.schema)_revoked") {
                EventLoop.spawn { try? await self.load() }
            }
            while true {
                try await self.load()
                try await EventLoop.sleep(for: .seconds(5))
            }
        }
    }

    func load() async throws {
        let lines = try await host.db.systemReader.all(
            "select account_id, valid_from from revoked_account where expires_at > now() limit 100000",
            as: { row in (account: try row.next(as: AccountID.self), from: try row.next(as: Timestamp.self)) })
        for line in lines { host.revocations.revoke(line.account, before: line.from) }
        let sessions = try await host.db.systemReader.all(
            "select session_id, valid_from from revoked_session where expires_at > now() limit 100000",
            as: { row in (session: try row.next(as: ID<SessionKind>.self), from: try row.next(as: Timestamp.self)) })
        for line in sessions { host.revocations.revoke(line.session, before: line.from) }
        // No token is older than the longest life, so older lines say nothing.
        host.revocations.forget(before: host.now().adding(seconds: -3600))
        isLoaded = true
        host.hasRevocations = true
    }
}

extension Transaction {
    /// Voids the account's tokens issued before `time` in every process of this service, once this commits.
    package func revokeTokens(of account: AccountID, tenant: TenantID, before time: Timestamp) {
        later(
            """
            insert into revoked_account (account_id, tenant_id, valid_from) values (\(account), \(tenant), \(time))
            on conflict (account_id) do update
            set valid_from = greatest(revoked_account.valid_from, excluded.valid_from), expires_at = excluded.expires_at
            """)
        later("select pg_notify(current_schema() || '_revoked', '')")
    }

    /// The same for the tokens of one session.
    package func revokeTokens(ofSession session: ID<SessionKind>, tenant: TenantID, before time: Timestamp) {
        later(
            """
            insert into revoked_session (session_id, tenant_id, valid_from) values (\(session), \(tenant), \(time))
            on conflict (session_id) do update
            set valid_from = greatest(revoked_session.valid_from, excluded.valid_from), expires_at = excluded.expires_at
            """)
        later("select pg_notify(current_schema() || '_revoked', '')")
    }
}

extension Service {
    /// With what every service does besides its own: it remembers whose tokens are void. The service that
    /// announces those facts writes them down itself.
    var completed: Service {
        if announces.contains(where: { $0.name == AccountDeactivated.name }) { return self }
        let deactivated = Reaction(to: AccountDeactivated.self, named: "\(name).remember-deactivation") {
            fact, envelope, tx in
            tx.revokeTokens(of: fact.accountID, tenant: envelope.tenant, before: fact.at)
        }
        let changed = Reaction(to: AccountRolesChanged.self, named: "\(name).remember-roles-change") {
            fact, envelope, tx in
            tx.revokeTokens(of: fact.accountID, tenant: envelope.tenant, before: fact.validFrom)
        }
        let ended = Reaction(to: SessionEnded.self, named: "\(name).remember-session-end") { fact, envelope, tx in
            tx.revokeTokens(ofSession: fact.sessionID, tenant: envelope.tenant, before: fact.at)
        }
        return Service(
            name: name, migrations: migrations, routes: routes, announces: announces,
            reactions: reactions + [deactivated, changed, ended], workers: workers, commands: commands)
    }
}
