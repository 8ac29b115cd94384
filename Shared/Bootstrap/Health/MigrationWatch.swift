import Loop
import Messaging
import Postgres

/// Whether the schema is at least as new as this binary. A newer one is fine: during an upgrade the old
/// processes serve beside it.
@LoopActor final class MigrationWatch {
    private let db: Database
    private let known: Set<String>
    private var missing: Set<String>?

    init(_ service: Service, db: Database) {
        self.db = db
        known = Set(
            MessagingSchema.migrations.map { "\(MigrationLine.messaging) \($0.name)" }
                + service.migrations.map { "\(MigrationLine.service) \($0.name)" })
    }

    var isCurrent: Bool { missing?.isEmpty ?? false }

    var state: String {
        guard let missing else { return "unknown" }
        return missing.isEmpty ? "current" : "\(missing.count) missing: run migrate"
    }

    /// Looks until nothing is missing: applied files never go away again.
    var worker: Worker {
        Worker("migrations") {
            while !self.isCurrent {
                // Connecting takes some milliseconds, and a start waits for nothing longer than it must.
                guard self.db.isReady else {
                    try await EventLoop.sleep(for: .milliseconds(5))
                    continue
                }
                // Before the first migration there is no such table: that is not worth a line of log each time.
                try? await self.look()
                if !self.isCurrent { try await EventLoop.sleep(for: .milliseconds(200)) }
            }
            while true { try await EventLoop.sleep(for: .seconds(3600)) }
        }
    }

    func look() async throws {
        let applied = try await db.systemReader.all(
            "select line || ' ' || name from schema_migration limit 10000",
            as: { row in try row.next(as: String.self) })
        missing = known.subtracting(applied)
    }
}

/// The two histories of a schema: what every service has, and its own.
enum MigrationLine {
    static let messaging = "messaging"
    static let service = "service"
}
