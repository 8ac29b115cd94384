import Access
import Bootstrap
import Cryptography
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// Turns a refresh token into the next pair, once; a token that comes back later ends its session.
@LoopActor struct RefreshSession {
    let host: Host
    let grace: Duration
    let issuer: TokenIssuer
    let successorKey: SymmetricKey

    func callAsFunction(_ token: RefreshToken, _ request: Request) async throws -> TokenPair {
        let cause = Cause(tenant: token.tenant, actor: nil, role: "system", traceparent: request.traceparent)
        // The end of a session must be kept although the answer is a refusal, so it is a result, not an error.
        let result = try await host.transaction(for: token.tenant, as: cause) { tx in
            try await refresh(token, request, tx)
        }
        return try result.get()
    }

    private func refresh(
        _ token: RefreshToken, _ request: Request, _ tx: Transaction
    ) async throws -> Result<TokenPair, SignInError> {
        let sessions = SessionStore(sql: tx)
        // The account first, then its session: the order in which deactivation locks them.
        guard let account = try await sessions.account(of: token.session),
            let credential = try await CredentialStore(sql: tx).readHolding(account), credential.isActive,
            let session = try await sessions.findForUpdate(token.session), let stored = try await sessions.find(token)
        else { return .failure(.refreshInvalid) }

        let now = host.now()
        let successor = token.successor(successorKey)
        let isLive = stored.rotatedAt == nil ? false : try await isLive(successor, sessions)
        switch session.verdict(rotatedAt: stored.rotatedAt, successorIsLive: isLive, grace: grace, at: now) {
        case .over: return .failure(.refreshInvalid)
        case .reused:
            _ = try await sessions.end(session.id, because: .tokenReused, at: now)
            let reason = JSONObject([("reason", .string(Session.End.tokenReused.rawValue))])
            try tx.audit("end", "session", session.id.description, after: reason)
            return .failure(.refreshReused)
        case .rotate:
            try await sessions.retire(token, at: now)
            try await sessions.insert(successor, at: now)
        case .repeatSuccessor: break
        }

        return .success(try issuer.pair(credential, token.tenant, session, successor, at: host.now()))
    }

    private func isLive(_ token: RefreshToken, _ sessions: SessionStore) async throws -> Bool {
        guard let stored = try await sessions.find(token) else { return false }
        return stored.rotatedAt == nil
    }
}
