import Loop
import Postgres
import Primitives

/// Every statement that touches our copies of other services' facts.
@LoopActor
struct CardStore {
    let sql: any SQLSession

    // MARK: tenants

    func remember(tenant: TenantID) async throws {
        try await sql.run("insert into tenant_card (tenant_id) values (\(tenant)) on conflict do nothing")
    }

    /// Every tenant; this table alone is open to a transaction without one.
    func tenants() async throws -> [TenantID] {
        try await sql.all("select tenant_id from tenant_card order by tenant_id") { try $0.next() }
    }

    // MARK: locations

    func zone(of location: LocationID) async throws -> String? {
        try await sql.first("select zone from location_card where location_id = \(location)") { try $0.next() }
    }

    func remember(_ location: LocationID, zone: String) async throws {
        try await sql.run(
            """
            insert into location_card (location_id, zone) values (\(location), \(zone))
            on conflict (location_id) do update set zone = excluded.zone
            """
        )
    }

    // MARK: patients

    /// A record was opened. It may have been closed by an event that came first, so this never reopens one.
    func remember(_ patients: [PatientID]) async throws {
        try await sql.run(
            """
            insert into patient_card (patient_id, is_active)
            select id, true from unnest(\(patients)::uuid[]) as id order by id
            on conflict do nothing
            """)
    }

    /// What the owner says now.
    func remember(_ patient: PatientID, active: Bool) async throws {
        try await sql.run(
            """
            insert into patient_card (patient_id, is_active) values (\(patient), \(active))
            on conflict (patient_id) do update set is_active = excluded.is_active
            """
        )
    }

    /// Whether the chart is restricted, unless we already know something later.
    func remember(_ patient: PatientID, restricted: Bool, at: Timestamp) async throws {
        try await sql.run(
            """
            insert into patient_card (patient_id, is_active, is_restricted, restriction_at)
            values (\(patient), true, \(restricted), \(at))
            on conflict (patient_id) do update
            set is_restricted = excluded.is_restricted, restriction_at = excluded.restriction_at
            where patient_card.restriction_at is null or patient_card.restriction_at < excluded.restriction_at
            """
        )
    }

    /// Those of these whose chart is restricted.
    func restricted(_ patients: [PatientID]) async throws -> Set<PatientID> {
        Set(
            try await sql.all(
                "select patient_id from patient_card where patient_id = any(\(patients)::uuid[]) and is_restricted",
                as: { try $0.next(as: PatientID.self) }))
    }

    // MARK: accounts

    /// What an account may do, unless we already know something newer.
    func remember(
        _ account: AccountID, isDoctor: Bool, at location: LocationID, zone: String, name: String?,
        revision: Int
    ) async throws {
        try await sql.run(
            """
            insert into account_card (account_id, is_doctor, location_id, zone, name, roles_revision)
            values (\(account), \(isDoctor), \(location), \(zone), \(name), \(revision))
            on conflict (account_id) do update
            set is_doctor = excluded.is_doctor, location_id = excluded.location_id, zone = excluded.zone,
                name = coalesce(excluded.name, account_card.name), roles_revision = excluded.roles_revision
            where account_card.roles_revision < excluded.roles_revision
            """
        )
    }

    /// Until when a licence is good, nil for none that was looked at; unless we already know something newer.
    func remember(_ account: AccountID, licensedUntil: LocalDate?, revision: Int) async throws {
        try await sql.run(
            """
            insert into account_card (account_id, licensed_until, licence_revision)
            values (\(account), \(licensedUntil), \(revision))
            on conflict (account_id) do update
            set licensed_until = excluded.licensed_until, licence_revision = excluded.licence_revision
            where account_card.licence_revision < excluded.licence_revision
            """
        )
    }

    /// Whether an account may act at all, unless we already know something newer.
    func remember(_ account: AccountID, active: Bool, revision: Int) async throws {
        try await sql.run(
            """
            insert into account_card (account_id, is_active, active_revision)
            values (\(account), \(active), \(revision))
            on conflict (account_id) do update
            set is_active = excluded.is_active, active_revision = excluded.active_revision
            where account_card.active_revision < excluded.active_revision
            """
        )
    }
}
