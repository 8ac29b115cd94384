import Access
import Bootstrap
import Cryptography
import HTTP
import Loop
import Messaging
import Postgres
import Primitives

/// Turns a refresh token into the next one, once; a token that comes back later ends its session.
@LoopActor struct RefreshSession {
    let host: Host
    let grace: Duration
    let issuer: TokenIssuer
    let keys: RotatingKeys
    let factor: SecondFactor

    /// What the next tokens are made of.
    struct Fresh: Sendable {
        let credential: Credential
        let session: Session
        let token: RefreshToken
    }

    /// The suite's own clients.
    func callAsFunction(_ token: RefreshToken, _ request: Request) async throws -> TokenPair {
        try await callAsFunction(token, for: nil, request) { fresh, tx in
            try await issuer.pair(fresh.credential, token.tenant, fresh.session, fresh.token, tx, at: host.now())
        }
    }

    /// `client`: only its own sessions; nil: only those that no client holds, or a client's token would buy all that
    /// the person may do.
    func callAsFunction<T: Sendable>(
        _ token: RefreshToken, for client: ClientID?, _ request: Request,
        _ make: @LoopActor (Fresh, Transaction) async throws -> T
    ) async throws -> T {
        let cause = Cause(tenant: token.tenant, actor: nil, role: "system", traceparent: request.traceparent)
        // The end of a session must be kept although the answer is a refusal, so it is a result, not an error.
        let result: Result<T, SignInError> = try await host.transaction(for: token.tenant, as: cause) { tx in
            switch try await rotate(token, for: client, tx) {
            case .success(let fresh): .success(try await make(fresh, tx))
            case .failure(let refusal): .failure(refusal)
            }
        }
        return try result.get()
    }

    private func rotate(
        _ token: RefreshToken, for client: ClientID?, _ tx: Transaction
    ) async throws -> Result<Fresh, SignInError> {
        let sessions = SessionStore(sql: tx)
        // The account first, then its session: the order in which deactivation locks them.
        guard let account = try await sessions.account(of: token.session),
            let credential = try await CredentialStore(sql: tx).readHolding(account), credential.isActive,
            var session = try await sessions.findForUpdate(token.session), session.client?.client == client,
            let stored = try await sessions.find(token)
        else { return .failure(.refreshInvalid) }

        let now = host.now()
        // The one that was given out, by whichever key it was made with; the current key's when none was.
        let successors = keys.keys(for: "refresh token successors").all.map(token.successor)
        let given = stored.rotatedAt == nil ? nil : try await sessions.firstLive(of: successors)
        let successor = given ?? successors[0]
        let idleLimit = try await issuer.settings(of: token.tenant, tx).idleLimit(of: credential)
        switch session.verdict(stored, successorIsLive: given != nil, grace: grace, idleLimit: idleLimit, at: now) {
        case .over: return .failure(.refreshInvalid)
        case .reused:
            _ = try await EndSession(host: host)(session.id, of: token.tenant, because: .tokenReused, tx)
            return .failure(.refreshReused)
        case .idle:
            _ = try await EndSession(host: host)(session.id, of: token.tenant, because: .idle, tx)
            return .failure(.refreshInvalid)
        case .rotate:
            guard try await asksNoMore(of: &session, credential, in: token.tenant, at: now, tx) else {
                _ = try await EndSession(host: host)(session.id, of: token.tenant, because: .factorRequired, tx)
                return .failure(.refreshInvalid)
            }
            try await sessions.retire(token, at: now)
            try await sessions.insert(successor, at: now)
        case .repeatSuccessor: break
        }
        return .success(Fresh(credential: credential, session: session, token: successor))
    }

    /// A clinic that asks for a second factor by now asks whoever is signed in, too. Who has none goes on only to enrol
    /// one; who has one, or is signed in at an application, signs in again with it: then it says false.
    private func asksNoMore(
        of session: inout Session, _ credential: Credential, in tenant: TenantID, at now: Timestamp, _ tx: Transaction
    ) async throws -> Bool {
        guard session.assurance == .single, try await factor.policy.asks(credential.roles, tx) else { return true }
        guard session.client == nil, try await !factor.standing(of: credential.account, in: tenant, tx).hasSecondFactor else {
            return false
        }
        session.assurance = .enrolling
        session.expiresAt = min(session.expiresAt, now.adding(seconds: Session.enrollingLife))
        try await SessionStore(sql: tx).save(session.assurance, until: session.expiresAt, of: session.id)
        return true
    }
}
