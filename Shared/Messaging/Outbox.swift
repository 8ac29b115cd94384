import JSON
import Loop
import Postgres
import Primitives

/// Who and what stands behind a transaction: what announced facts and audit entries say of their cause.
///
/// `write` and the consumer put one in `tx.context`. A transaction without one (a worker's) acts as the system.
package struct Cause: Sendable {
    package let tenant: TenantID
    package let actor: AccountID?
    package let role: String
    package let traceparent: String
    /// Why, where a patient's record may be touched (HL7 PurposeOfUse).
    package let purpose: String?
    package init(tenant: TenantID, actor: AccountID?, role: String, traceparent: String, purpose: String? = nil) {
        self.tenant = tenant
        self.actor = actor
        self.role = role
        self.traceparent = traceparent
        self.purpose = purpose
    }

    /// Of something that only time caused.
    package static func system(_ tenant: TenantID) -> Cause {
        Cause(tenant: tenant, actor: nil, role: "system", traceparent: Traceparent.fresh())
    }
}

extension Transaction {
    /// Announces a fact: it leaves for the broker if and only if this transaction commits.
    ///
    /// `revision` is the aggregate's version after the change, so the same kind of fact about the same aggregate
    /// and revision is refused at commit; 0 means the fact is about nothing that has a version.
    package func announce(_ event: some Event, revision: Int) throws {
        append(type(of: event).name, subject: event.subject, revision: revision, data: event.jsonBytes)
    }

    /// Leaves an audit entry with this transaction. `before` and `after` hold no personal values:
    /// states, amounts, ids, and the names of personal fields that changed. `patient` is whose record it touches.
    package func audit(
        _ action: String, _ resource: String, _ id: String, of patient: PatientID? = nil, before: JSONObject? = nil,
        after: JSONObject? = nil
    ) throws {
        audit(action, resource, id, of: patient, allowed: true, before: before, after: after)
    }

    func audit(
        _ action: String, _ resource: String, _ id: String, of patient: PatientID? = nil, allowed: Bool,
        before: JSONObject?, after: JSONObject?
    ) {
        let entry = AuditRecorded(
            service: OutboxDraft.service, action: action, resource: resource, resourceID: id,
            role: cause?.role ?? "system", allowed: allowed, before: before, after: after, patientID: patient,
            purpose: cause?.purpose)
        append(AuditRecorded.name, subject: id, revision: 0, data: entry.jsonBytes)
        (context as? OutboxDraft)?.audited.append(Audited(resource: resource, id: id, patient: patient))
        if let patient = patient ?? (resource == "patient" ? PatientID(id) : nil) { concerns(patient) }
    }

    /// What the audit entries left with this transaction so far are about.
    package var audited: [Audited] { (context as? OutboxDraft)?.audited ?? [] }

    /// Says whose record this transaction touches, where no audit entry does.
    package func concerns(_ patient: PatientID) { (context as? OutboxDraft ?? openDraft()).patient = patient }

    /// Whose record this transaction touches, as far as anybody said.
    package var patient: PatientID? { (context as? OutboxDraft)?.patient }

    /// Who is behind this transaction, as far as anybody said.
    package var cause: Cause? { context as? Cause ?? (context as? OutboxDraft)?.cause }

    /// From here on somebody else acts in this transaction: what is announced and audited next is theirs, and nobody has said yet
    /// whom that concerns. For changes of several callers that are made together.
    package func act(as cause: Cause) {
        guard let draft = context as? OutboxDraft else { return context = cause }
        draft.act(as: cause)
    }

    private func append(_ name: EventName, subject: String, revision: Int, data: [UInt8]) {
        (context as? OutboxDraft ?? openDraft()).append(name, subject: subject, revision: revision, data: data)
    }

    /// From the first fact on, the context is the draft, and the commit takes its rows along.
    private func openDraft() -> OutboxDraft {
        let draft = OutboxDraft(cause)
        context = draft
        let others = beforeCommit
        beforeCommit = { tx in
            try others?(tx)
            draft.flush(into: tx)
        }
        return draft
    }
}

/// What one audit entry is about.
package struct Audited: Sendable {
    package let resource: String
    package let id: String
    package let patient: PatientID?
}

/// The facts a transaction has announced so far: written by one statement that travels with the commit.
@LoopActor final class OutboxDraft {
    private struct Row {
        let id = EventID()
        let name: EventName
        let subject: String
        let revision: Int
        let actor: AccountID?
        let traceparent: String
        let data: [UInt8]
    }

    /// The announcing service, for audit entries and `source`; Bootstrap sets it once at start.
    static var service = "unknown"
    /// Woken when rows have been committed; the relay of this process sets it.
    static var wakeRelay: (@LoopActor () -> Void)?

    /// Who acts now.
    private(set) var cause: Cause?
    private var traceparent: String
    private var rows: [Row] = []
    /// What was audited, and whose record is touched, since they act.
    var audited: [Audited] = []
    var patient: PatientID?

    init(_ cause: Cause?) {
        self.cause = cause
        traceparent = cause?.traceparent ?? Traceparent.fresh()
    }

    func act(as cause: Cause) {
        self.cause = cause
        traceparent = cause.traceparent
        audited = []
        patient = nil
    }

    func append(_ name: EventName, subject: String, revision: Int, data: [UInt8]) {
        rows.append(
            Row(name: name, subject: subject, revision: revision, actor: cause?.actor, traceparent: traceparent, data: data))
    }

    /// One statement whatever the number of rows. `seq` follows the order of announcing.
    func flush(into tx: Transaction) {
        guard !rows.isEmpty else { return }
        tx.later(
            """
            insert into outbox (id, type, subject, revision, actor, traceparent, data, occurred_at)
            select id, type, subject, revision, actor, traceparent, data, \(Timestamp.now())::timestamptz
            from unnest(\(rows.map(\.id))::uuid[], \(rows.map(\.name.text))::text[], \(rows.map(\.subject))::text[],
                        \(rows.map(\.revision))::int[], \(SQLArray(rows.map(\.actor)))::uuid[],
                        \(rows.map(\.traceparent))::text[],
                        \(rows.map { String(decoding: $0.data, as: UTF8.self) })::json[])
                 with ordinality as announced (id, type, subject, revision, actor, traceparent, data, place)
            order by place
            """)
        rows.removeAll()
        tx.afterCommit = { Self.wakeRelay?() }
    }
}

package enum Audit {
    /// Records that somebody was refused, in a small transaction of its own: there is no change to travel with.
    package static func denied(
        _ action: String, _ resource: String, _ id: String, cause: Cause, in db: Database
    ) async throws {
        try await record(action, resource, id, allowed: false, cause: cause, in: db)
    }

    /// Records a read of something sensitive, in a small transaction of its own.
    package static func allowed(
        _ action: String, _ resource: String, _ id: String, cause: Cause, in db: Database
    ) async throws {
        try await record(action, resource, id, allowed: true, cause: cause, in: db)
    }

    @LoopActor private static func record(
        _ action: String, _ resource: String, _ id: String, allowed: Bool, cause: Cause, in db: Database
    ) async throws {
        try await db.transaction(for: cause.tenant) { tx in
            tx.context = cause
            tx.audit(action, resource, id, allowed: allowed, before: nil, after: nil)
        }
    }
}
