import Access
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives
import Redis

/// Everything a service is: what it stores, answers, announces and reacts to.
package struct Service: Sendable {
    package let name: String
    package let migrations: [Migration]
    package let routes: [Route]
    package let announces: [any Event.Type]
    package let reactions: [Reaction]
    package let workers: [Worker]
    package let commands: [Command]

    package init(
        name: String, migrations: [Migration], routes: [Route], announces: [any Event.Type] = [],
        reactions: [Reaction] = [], workers: [Worker] = [], commands: [Command] = []
    ) {
        self.name = name
        self.migrations = migrations
        self.routes = routes
        self.announces = announces
        self.reactions = reactions
        self.workers = workers
        self.commands = commands
    }
}

/// One forward-only step of a schema: `Migration("0001_slots", PackageResources._0001_slots_sql)`.
package struct Migration: Sendable {
    package let name: String
    package let sql: String
    package init(_ name: String, _ bytes: [UInt8]) {
        self.name = name
        sql = String(decoding: bytes, as: UTF8.self)
    }
}

/// Something that must happen as time passes. `run` returns when cancelled; a throw is logged and it starts
/// again with backoff. In several replicas every one runs it, so it must claim its work in SQL.
package struct Worker: Sendable {
    package let name: String
    package let run: @LoopActor @Sendable () async throws -> Void
    package init(_ name: String, run: @escaping @LoopActor @Sendable () async throws -> Void) {
        self.name = name
        self.run = run
    }
}

/// A verb of the executable beside serve, migrate, routes and check-config: `clinical import FILE…`.
package struct Command: Sendable {
    package let name: String
    package let help: String
    /// Runs on the loop with the database started; the result is the exit code.
    package let run: @LoopActor @Sendable ([String]) async throws -> Int32
    package init(_ name: String, help: String, run: @escaping @LoopActor @Sendable ([String]) async throws -> Int32) {
        self.name = name
        self.help = help
        self.run = run
    }
}

/// SKELETON: what the process hands to a service.
@LoopActor package final class Host {
    package nonisolated init(_ config: HostConfig) { self.config = config }
    package let config: HostConfig
    package var db: Database { fatalError("skeleton") }
    package var redis: RedisClient { fatalError("skeleton") }
    package var now: @Sendable () -> Timestamp { { Timestamp.now() } }
    package var cards: Cards { fatalError("skeleton") }
    /// 2 threads for work that blocks or burns.
    package var blocking: BlockingPool { fatalError("skeleton") }

    /// A transaction of a worker or a command: on behalf of no caller, for one tenant.
    package func transaction<T>(
        for tenant: TenantID, as cause: Cause, _ body: @LoopActor (Transaction) async throws -> T
    ) async throws -> T { fatalError("skeleton") }

    /// The one shape of a handler that changes something.
    ///
    /// Opens a transaction for the caller's tenant, claims the `Idempotency-Key` (if the request has one) inside it,
    /// runs `body`, stores the answer under the key, commits. The same key and body replays the stored answer; another
    /// body is 422 `idempotency_key_reused`; still running is 409 `request_in_progress`. Answers of status 400 and
    /// above roll back and are not stored.
    package func write(
        _ request: Request, by caller: Principal, _ body: @LoopActor (Transaction) async throws -> Response
    ) async throws -> Response { fatalError("skeleton") }
}

/// SKELETON: asks the owner of a fact for its card when our copy is missing or about to refuse somebody.
/// `docs/decisions/0002-cards.md` says why this is the one synchronous call between services.
@LoopActor package final class Cards {
    package nonisolated init() {}
    /// GET on the owner's internal path on behalf of `caller`; nil when the owner knows of no such thing.
    /// Throws `Problem.unavailable` when the owner cannot be asked within 2 s.
    package func ask(_ service: String, _ path: String, as caller: Principal) async throws -> JSONObject? { fatalError("skeleton") }
}
