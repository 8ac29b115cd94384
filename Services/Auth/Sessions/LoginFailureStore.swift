import Cryptography
import Loop
import Postgres
import Primitives

/// Every statement that touches `login_failure`.
@LoopActor struct LoginFailureStore {
    let sql: any SQLSession

    /// The tally under `key`, locked until the transaction ends, so that parallel guesses are counted one by one.
    func claim(_ key: Bytes, at now: Timestamp) async throws -> LoginThrottle.Tally {
        try await sql.run(
            """
            insert into login_failure (key, failures, first_at, last_at) values (\(key), 0, \(now), \(now))
            on conflict (key) do nothing
            """)
        let tally = try await sql.first(
            "select failures, first_at, last_at from login_failure where key = \(key) for update",
            as: { row in
                LoginThrottle.Tally(failures: try row.next(), firstAt: try row.next(), lastAt: try row.next())
            })
        // Nobody deletes a row that we have just locked; the sweep may between the two statements.
        return tally ?? LoginThrottle.Tally(failures: 0, firstAt: now, lastAt: now)
    }

    func save(_ tally: LoginThrottle.Tally, under key: Bytes) async throws {
        try await sql.run(
            """
            insert into login_failure (key, failures, first_at, last_at)
            values (\(key), \(tally.failures), \(tally.firstAt), \(tally.lastAt))
            on conflict (key) do update
            set failures = excluded.failures, first_at = excluded.first_at, last_at = excluded.last_at
            """)
    }

    /// The right password ends the tally.
    func clear(_ key: Bytes) async throws {
        try await sql.run("delete from login_failure where key = \(key)")
    }

    /// Takes back one attempt that was no failure.
    func takeBack(_ key: Bytes) async throws {
        try await sql.run("update login_failure set failures = greatest(failures - 1, 0) where key = \(key)")
    }

    func sweep(before time: Timestamp) async throws {
        try await sql.run("delete from login_failure where last_at < \(time)")
    }
}
