import Access
import Bootstrap
import Contracts
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// Ends sessions so that their access tokens die with them: here once the transaction commits, elsewhere when the
/// event arrives. Without it a stolen token would live out its minutes after signing out.
@LoopActor struct EndSession {
    let host: Host

    /// False when it was over already. `line` is read behind the session's lock: no token of it is younger.
    func callAsFunction(
        _ id: SessionID, of tenant: TenantID, because reason: Session.End, _ tx: Transaction
    ) async throws -> Bool {
        guard try await SessionStore(sql: tx).end(id, because: reason, at: host.now()) else { return false }
        try void(id, of: tenant, because: reason, tx)
        let after = JSONObject([("reason", .string(reason.rawValue))])
        try tx.audit(reason == .signedOut ? "sign_out" : "end", "session", id.description, after: after)
        return true
    }

    /// Ends all sessions of an account but one.
    func all(
        of account: AccountID, in tenant: TenantID, except kept: SessionID? = nil, because reason: Session.End, _ tx: Transaction
    ) async throws {
        let ended = try await SessionStore(sql: tx).endAll(of: account, except: kept, because: reason, at: host.now())
        for id in ended { try void(id, of: tenant, because: reason, tx) }
    }

    /// Voids what was issued until now. A session ends once; what may happen again has revision 0.
    func void(
        _ id: SessionID, of tenant: TenantID, because reason: Session.End, revision: Int = 1, _ tx: Transaction
    ) throws {
        let line = host.now()
        tx.revokeTokens(ofSession: id, tenant: tenant, before: line)
        try tx.announce(SessionEnded(sessionID: id, at: line, reason: reason.rawValue), revision: revision)
        // Notified here as everywhere else; this process need not wait for it. Should the commit fail, its tokens
        // must be refreshed once more, and nothing worse.
        host.revocations.revoke(id, before: line)
    }
}
