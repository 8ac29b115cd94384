import Access
import Loop
import Messaging

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

/// One forward-only step of a schema: `Migration("0001_slots", PackageResources._001_slots_sql)`.
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

    /// Does `look` at the start and again after each pause, until cancelled.
    package init(_ name: String, every pause: Duration, look: @escaping @LoopActor @Sendable () async throws -> Void) {
        self.init(name) {
            while !Task.isCancelled {
                try await look()
                try await EventLoop.sleep(for: pause)
            }
        }
    }
}

/// A verb of the executable beside serve, migrate, routes and check-config: `clinical import FILE…`.
package struct Command: Sendable {
    package let name: String
    package let help: String
    /// Whether it needs the environment and the database. One that does not, such as generating keys, runs on a
    /// machine where nothing is configured yet, with placeholders in its configuration.
    package let needsServers: Bool
    /// Runs on the loop with the database started; the result is the exit code.
    package let run: @LoopActor @Sendable ([String]) async throws -> Int32
    package init(
        _ name: String, help: String, needsServers: Bool = true,
        run: @escaping @LoopActor @Sendable ([String]) async throws -> Int32
    ) {
        self.name = name
        self.help = help
        self.needsServers = needsServers
        self.run = run
    }
}
