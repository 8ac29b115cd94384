import Loop
import Postgres
import Primitives

/// Every statement that touches the `slot` table, but for the claim that books (AppointmentStore).
@LoopActor
struct SlotStore {
    let sql: any SQLSession

    private static let columns = """
        id, provider_id, location_id, starts_at, ends_at, local_date, status, block_reason, version
        """

    func find(_ id: SlotID) async throws -> Slot? {
        try await sql.first("select \(unsafe: Self.columns) from slot where id = \(id)", as: Slot.init(row:))
    }

    func findForUpdate(_ id: SlotID) async throws -> Slot? {
        try await sql.first(
            "select \(unsafe: Self.columns) from slot where id = \(id) for no key update", as: Slot.init(row:))
    }

    /// Locks several slots, always in the order of their ids, so that two moves never wait for each other.
    func lock(_ ids: [SlotID]) async throws -> [Slot] {
        try await sql.all(
            """
            select \(unsafe: Self.columns) from slot
            where id = any(\(ids)::uuid[]) order by id for no key update
            """, as: Slot.init(row:))
    }

    struct Filter {
        var provider: ProviderID?
        var date: LocalDate?
        var status: Slot.Status?
        /// Free means that it can be booked, so what has begun and whoever retired is left out of it.
        var now: Timestamp
    }

    func list(_ filter: Filter, after: (start: Timestamp, id: SlotID)?, limit: Int) async throws -> [Slot] {
        var conditions: SQL = "true"
        if let provider = filter.provider { conditions = "\(conditions) and provider_id = \(provider)" }
        if let date = filter.date { conditions = "\(conditions) and local_date = \(date)" }
        if let status = filter.status { conditions = "\(conditions) and status = \(status)" }
        if filter.status == .free {
            conditions = """
                \(conditions) and starts_at > \(filter.now)
                and exists (select from provider where provider.id = slot.provider_id and provider.is_active
                              and provider.licensed_until >= slot.local_date)
                """
        }
        if let after {
            conditions = "\(conditions) and (starts_at, id) > (\(after.start)::timestamptz, \(after.id)::uuid)"
        }
        return try await sql.all(
            """
            select \(unsafe: Self.columns) from slot
            where \(conditions)
            order by starts_at, id
            limit \(limit)
            """, as: Slot.init(row:))
    }

    /// Opens what does not overlap the practitioner's other time, in one statement, and says how many.
    func open(_ slots: [Roster.Opening], of provider: ProviderID, at location: LocationID) async throws -> Int {
        guard !slots.isEmpty else { return 0 }
        let ids = slots.map { _ in SlotID() }
        return try await sql.run(
            """
            insert into slot (id, provider_id, location_id, starts_at, ends_at, local_date)
            select id, \(provider), \(location), starts_at, ends_at, local_date
            from unnest(\(ids)::uuid[], \(slots.map(\.start))::timestamptz[], \(slots.map(\.end))::timestamptz[],
                        \(slots.map(\.date))::date[]) as opening (id, starts_at, ends_at, local_date)
            on conflict do nothing
            """
        )
    }

    func update(_ slot: Slot) async throws {
        try await sql.run(
            """
            update slot set status = \(slot.status), block_reason = \(slot.blockReason), version = \(slot.version)
            where id = \(slot.id)
            """
        )
    }

    func release(_ id: SlotID) async throws {
        try await sql.run(
            "update slot set status = 'free', version = version + 1 where id = \(id) and status = 'booked'")
    }

    func claim(_ id: SlotID) async throws {
        try await sql.run("update slot set status = 'booked', version = version + 1 where id = \(id)")
    }
}
