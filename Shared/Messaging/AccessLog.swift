import JSON
import Loop
import Postgres
import Primitives

/// Commits what was read and what was refused before the answer leaves, many requests at a time.
///
/// A commit of its own would make a read cost like a write. So while one commit is under way, whatever is read
/// meanwhile gathers and goes with the next: one row, one flush of the disk and one event for all of it. With nobody
/// else about, an answer waits for one commit; under load it waits for one and a half, and they cost next to nothing.
@LoopActor package final class AccessLog {
    /// One thing that somebody read or was refused.
    package struct Entry: Sendable {
        let id = EventID()
        let at: Timestamp
        let cause: Cause
        let action: String
        let resource: String
        let resourceID: String
        let patient: PatientID?
        let allowed: Bool
        let after: JSONObject?

        package init(
            _ action: String, _ resource: String, _ resourceID: String, of patient: PatientID?, allowed: Bool,
            after: JSONObject?, cause: Cause, at: Timestamp
        ) {
            self.action = action
            self.resource = resource
            self.resourceID = resourceID
            self.patient = patient
            self.allowed = allowed
            self.after = after
            self.cause = cause
            self.at = at
        }
    }

    private let db: Database
    private var waiting: [(entries: [Entry], continuation: CheckedContinuation<Void, any Error>)] = []
    private var isFlushing = false
    /// Commits so far, and the entries in them: their ratio is what grouping saves.
    package private(set) var commits = 0
    package private(set) var recorded = 0

    package nonisolated init(_ db: Database) { self.db = db }

    /// Returns when the entries are committed; throws when they are not, and then nothing may leave.
    package func record(_ entries: [Entry]) async throws {
        guard !entries.isEmpty else { return }
        try await withCheckedThrowingContinuation { continuation in
            waiting.append((entries, continuation))
            guard !isFlushing else { return }
            isFlushing = true
            EventLoop.spawn { await self.flush() }
        }
    }

    private func flush() async {
        while !waiting.isEmpty {
            var batch: [(entries: [Entry], continuation: CheckedContinuation<Void, any Error>)] = []
            var count = 0
            while let next = waiting.first, count == 0 || count + next.entries.count <= Parcel.most {
                batch.append(next)
                count += next.entries.count
                waiting.removeFirst()
            }
            do {
                try await commit(batch.flatMap(\.entries))
                commits += 1
                recorded += count
                for waiter in batch { waiter.continuation.resume() }
            } catch {
                for waiter in batch { waiter.continuation.resume(throwing: error) }
            }
        }
        isFlushing = false
    }

    /// One row of the outbox for each tenant, one statement, one commit.
    private func commit(_ entries: [Entry]) async throws {
        var byTenant: [(tenant: TenantID, entries: [Entry])] = []
        for entry in entries {
            if let place = byTenant.firstIndex(where: { $0.tenant == entry.cause.tenant }) {
                byTenant[place].entries.append(entry)
            } else {
                byTenant.append((entry.cause.tenant, [entry]))
            }
        }
        let now = Timestamp.now()
        let service = OutboxDraft.service
        try await db.systemTransaction(forMany: true) { tx in
            tx.later(
                """
                insert into outbox (id, tenant_id, type, subject, revision, traceparent, data, occurred_at)
                select id, tenant, \(AccessRecorded.name.text), \(service), 0, \(Traceparent.fresh()), data,
                       \(now)::timestamptz
                from unnest(\(byTenant.map { _ in EventID() })::uuid[], \(byTenant.map(\.tenant))::uuid[],
                            \(byTenant.map { Self.data($0.entries, of: service) })::json[]) as recorded (id, tenant, data)
                """)
        }
        OutboxDraft.wakeRelay?()
    }

    nonisolated static func data(_ entries: [Entry], of service: String) -> String {
        let recorded = entries.map { entry in
            AccessRecorded.Entry(
                id: entry.id, at: entry.at, actorID: entry.cause.actor, role: entry.cause.role, action: entry.action,
                resource: entry.resource, resourceID: entry.resourceID, allowed: entry.allowed, patientID: entry.patient,
                purpose: entry.cause.purpose, after: entry.after, traceID: Traceparent.traceID(of: entry.cause.traceparent))
        }
        return String(decoding: AccessRecorded(service: service, entries: recorded).jsonBytes, as: UTF8.self)
    }
}
