import Loop
import Postgres
import Primitives

/// Every statement that touches `audit_entry`. There is no update and no delete, in code or by right, and no insert past the chain.
@LoopActor struct AuditStore {
    let sql: any SQLSession

    /// One statement for any number of them: the database chains them in this order.
    func append(_ entries: [AuditEntry]) async throws {
        try await sql.run(
            """
            select audit_append(
                \(entries.map(\.id))::uuid[], \(entries.map(\.at))::timestamptz[],
                \(SQLArray(entries.map(\.actor)))::uuid[], \(entries.map(\.role))::text[],
                \(entries.map(\.service))::text[], \(entries.map(\.action))::text[],
                \(entries.map(\.resource))::text[], \(entries.map(\.resourceID))::text[],
                \(entries.map(\.allowed))::boolean[], \(SQLArray(entries.map(\.before)))::jsonb[],
                \(SQLArray(entries.map(\.after)))::jsonb[], \(entries.map(\.trace))::text[],
                \(SQLArray(entries.map(\.patient)))::uuid[], \(SQLArray(entries.map(\.purpose)))::text[])
            """)
    }

    func page(
        _ filter: AuditFilter, before: (at: Timestamp, id: EventID)?, limit: Int
    ) async throws -> [AuditEntry] {
        try await sql.all(
            """
            select id, at, actor_id, role, service, action, resource, resource_id, allowed, before, after, trace,
                patient_id, purpose
            from audit_entry
            where (\(filter.service)::text is null or service = \(filter.service)::text)
                and (\(filter.resource)::text is null or resource = \(filter.resource)::text)
                and (\(filter.resourceID)::text is null or resource_id = \(filter.resourceID)::text)
                and (\(filter.patient)::uuid is null or patient_id = \(filter.patient)::uuid
                    or id in (select entry_id from audit_listed where patient_id = \(filter.patient)::uuid))
                and (\(filter.actor)::uuid is null or actor_id = \(filter.actor)::uuid)
                and (\(filter.action)::text is null or action = \(filter.action)::text)
                and (\(filter.allowed)::boolean is null or allowed = \(filter.allowed)::boolean)
                and (\(filter.from)::timestamptz is null or at >= \(filter.from)::timestamptz)
                and (\(filter.to)::timestamptz is null or at < \(filter.to)::timestamptz)
                and (\(before?.at)::timestamptz is null
                    or (at, id) < (\(before?.at)::timestamptz, \(before?.id)::uuid))
            order by at desc, id desc
            limit \(limit)
            """, as: AuditEntry.init(row:))
    }
}

struct AuditFilter {
    var service: String?
    var resource: String?
    var resourceID: String?
    var actor: AccountID?
    var patient: PatientID?
    var action: String?
    var allowed: Bool?
    var from: Timestamp?
    var to: Timestamp?
}
