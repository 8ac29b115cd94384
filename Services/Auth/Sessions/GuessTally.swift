import Bootstrap
import Loop
import Postgres
import Primitives

/// Bounds guesses at the password or code of somebody whose account is known already: a token picked up from an open
/// screen must not buy the password behind it, nor a password the second factor.
@LoopActor struct GuessTally {
    let host: Host
    let config: AuthConfig
    let emailIndex: EmailIndex

    /// One row for a step-up and a change of the password, which ask for the same secret; another `door` has its own.
    func keys(of account: AccountID, at door: String = "step-up", from address: String) -> (both: Bytes, client: Bytes) {
        emailIndex.failureKeys("\(door)|\(account)", from: address)
    }

    /// Counted before anything is looked at, as at the front door.
    func count(_ keys: (both: Bytes, client: Bytes)) async throws {
        let now = host.now()
        try await host.db.systemTransaction { tx in
            let failures = LoginFailureStore(sql: tx)
            let mine = try await failures.claim(keys.both, at: now)
            let everybody = try await failures.claim(keys.client, at: now)
            let waits = [config.throttle.wait(after: mine, at: now), config.addressThrottle.wait(after: everybody, at: now)]
            if let wait = waits.compactMap({ $0 }).max() { throw SignInError.tooManyAttempts(wait: wait) }
            try await failures.save(config.throttle.counting(mine, at: now), under: keys.both)
            try await failures.save(config.addressThrottle.counting(everybody, at: now), under: keys.client)
        }
    }

    /// It was right: no failure after all.
    func clear(_ keys: (both: Bytes, client: Bytes), _ tx: Transaction) async throws {
        try await LoginFailureStore(sql: tx).clear(keys.both)
        try await LoginFailureStore(sql: tx).takeBack(keys.client)
    }
}
