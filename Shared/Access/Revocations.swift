import Loop
import Primitives

/// From when on an account's or a session's tokens count: everything issued before is void.
///
/// Deactivating an account, changing its roles and ending a session move the line. It is asked on every request,
/// after the cache of verified tokens, so nobody keeps access for as long as a token lives (T14). Fed from tables
/// `revoked_account` and `revoked_session`.
@LoopActor package final class Revocations {
    private var validFrom: [AccountID: Timestamp] = [:]
    private var sessionsFrom: [ID<SessionKind>: Timestamp] = [:]

    package nonisolated init() {}

    /// Tokens of `account` issued before `time` are void. The line never moves back.
    package func revoke(_ account: AccountID, before time: Timestamp) {
        validFrom[account] = max(validFrom[account] ?? time, time)
    }

    /// The same for one session: it ended, by signing out or because somebody else had its refresh token.
    package func revoke(_ session: ID<SessionKind>, before time: Timestamp) {
        sessionsFrom[session] = max(sessionsFrom[session] ?? time, time)
    }

    /// A line older than the longest token says nothing any more.
    package func forget(before time: Timestamp) {
        validFrom = validFrom.filter { $0.value >= time }
        sessionsFrom = sessionsFrom.filter { $0.value >= time }
    }

    package func voids(tokenOf account: AccountID, issuedAt: Timestamp) -> Bool {
        guard let line = validFrom[account] else { return false }
        return issuedAt < line
    }

    /// Account and session: either may have a line.
    func voids(_ caller: Principal, issuedAt: Timestamp) -> Bool {
        if voids(tokenOf: caller.account, issuedAt: issuedAt) { return true }
        guard let line = sessionsFrom[caller.session] else { return false }
        return issuedAt < line
    }

    package var count: Int { validFrom.count + sessionsFrom.count }
}
