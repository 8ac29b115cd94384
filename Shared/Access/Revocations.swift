import Loop
import Primitives

/// From when on an account's tokens count: everything issued before is void.
///
/// Deactivating an account and changing its roles move the line. It is asked on every request, after the cache of
/// verified tokens, so nobody keeps access for as long as a token lives (T14). Fed from table `revoked_account`.
@LoopActor package final class Revocations {
    private var validFrom: [AccountID: Timestamp] = [:]

    package nonisolated init() {}

    /// Tokens of `account` issued before `time` are void. The line never moves back.
    package func revoke(_ account: AccountID, before time: Timestamp) {
        validFrom[account] = max(validFrom[account] ?? time, time)
    }

    /// A line older than the longest token says nothing any more.
    package func forget(before time: Timestamp) { validFrom = validFrom.filter { $0.value >= time } }

    package func voids(tokenOf account: AccountID, issuedAt: Timestamp) -> Bool {
        guard let line = validFrom[account] else { return false }
        return issuedAt < line
    }

    package var count: Int { validFrom.count }
}
