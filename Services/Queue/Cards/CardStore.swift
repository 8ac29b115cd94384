import Loop
import Postgres
import Primitives

/// Every statement that touches our copies of other services' facts.
@LoopActor
struct CardStore {
    let sql: any SQLSession

    // MARK: appointments

    func appointment(_ id: AppointmentID) async throws -> AppointmentCard? {
        try await sql.first(
            """
            select appointment_id, patient_id, provider_id, location_id, starts_at, local_date, status, priority,
                   revision
            from appointment_card
            where appointment_id = \(id)
            """, as: AppointmentCard.init(row:))
    }

    /// Keeps each card unless a newer one is there. They are of different appointments, in the order of their ids.
    func remember(_ cards: [AppointmentCard]) async throws {
        try await sql.run(
            """
            insert into appointment_card (appointment_id, patient_id, provider_id, location_id, starts_at,
                                          local_date, status, priority, revision)
            select * from unnest(
                \(cards.map(\.id))::uuid[], \(cards.map(\.patient))::uuid[], \(cards.map(\.provider))::uuid[],
                \(SQLArray(cards.map(\.location)))::uuid[], \(cards.map(\.start))::timestamptz[],
                \(cards.map(\.localDate))::date[], \(cards.map(\.status))::text[],
                \(cards.map(\.priority))::text[], \(cards.map(\.revision))::int[])
            on conflict (appointment_id) do update
            set provider_id = excluded.provider_id,
                location_id = coalesce(excluded.location_id, appointment_card.location_id), starts_at = excluded.starts_at,
                local_date = excluded.local_date, status = excluded.status,
                priority = excluded.priority, revision = excluded.revision
            where appointment_card.revision <= excluded.revision
            """
        )
    }

    // MARK: practitioners

    private static let providers = """
        select p.provider_id, p.account_id, p.location_id, p.zone, p.is_active, l.licensed_until
        from provider_card p left join licence_card l on l.account_id = p.account_id
        """

    func provider(_ id: ProviderID) async throws -> ProviderCard? {
        try await sql.first(
            "\(unsafe: Self.providers) where p.provider_id = \(id)", as: ProviderCard.init(row:))
    }

    func provider(of account: AccountID) async throws -> ProviderCard? {
        try await sql.first(
            "\(unsafe: Self.providers) where p.account_id = \(account)", as: ProviderCard.init(row:))
    }

    /// Holds the practitioner until commit: whoever else calls for them waits.
    func lockProvider(_ id: ProviderID) async throws {
        try await sql.run("select from provider_card where provider_id = \(id) for update")
    }

    /// Keeps a card unless a newer one is there. An answer to a question has revision 0: it fills a gap only.
    func remember(_ card: ProviderCard, revision: Int) async throws {
        try await sql.run(
            """
            insert into provider_card (provider_id, account_id, location_id, zone, is_active, revision)
            values (\(card.id), \(card.account), \(card.location), \(card.zone), \(card.isActive), \(revision))
            on conflict (provider_id) do update
            set location_id = excluded.location_id, zone = excluded.zone, is_active = excluded.is_active,
                revision = excluded.revision
            where provider_card.revision < excluded.revision
            """
        )
    }

    /// Without a card there is nothing to keep: who is asked later says so.
    func retire(_ provider: ProviderID, revision: Int) async throws {
        try await sql.run(
            """
            update provider_card set is_active = false, revision = \(revision)
            where provider_id = \(provider) and revision < \(revision)
            """
        )
    }

    /// Until when a licence is good, nil for none that was looked at; unless we already know something newer.
    func remember(_ account: AccountID, licensedUntil: LocalDate?, revision: Int) async throws {
        try await sql.run(
            """
            insert into licence_card as c (account_id, licensed_until, revision) values (\(account), \(licensedUntil), \(revision))
            on conflict (account_id) do update set licensed_until = excluded.licensed_until, revision = excluded.revision
            where c.revision < excluded.revision
            """)
    }

    // MARK: patients

    func isActive(_ patient: PatientID) async throws -> Bool? {
        try await sql.first("select is_active from patient_card where patient_id = \(patient)") { try $0.next() }
    }

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
}
