import Loop
import Postgres
import Primitives

/// Every statement that touches the `provider` table.
@LoopActor
struct ProviderStore {
    let sql: any SQLSession

    private static let columns = """
        id, account_id, location_id, zone, name, to_json(specialties), to_json(languages), is_active,
        licensed_until, presence, presence_until, version, booking_mode, request_hours,
        rating_count, rating_sum
        """

    func find(_ id: ProviderID) async throws -> Practitioner? {
        try await sql.first(
            "select \(unsafe: Self.columns) from provider where id = \(id)", as: Practitioner.init(row:))
    }

    func find(account: AccountID) async throws -> Practitioner? {
        try await sql.first(
            "select \(unsafe: Self.columns) from provider where account_id = \(account)",
            as: Practitioner.init(row:))
    }

    func findForUpdate(_ id: ProviderID) async throws -> Practitioner? {
        try await sql.first(
            "select \(unsafe: Self.columns) from provider where id = \(id) for update",
            as: Practitioner.init(row:))
    }

    struct Filter {
        var account: AccountID?
        var location: LocationID?
        var presence: String?
        var specialty: String?
        let now: Timestamp
    }

    /// The directory by name, `limit` of it after the given place.
    func list(_ filter: Filter, after: (name: String, id: ProviderID)?, limit: Int) async throws -> [Practitioner] {
        var conditions: SQL = "is_active"
        if let account = filter.account { conditions = "\(conditions) and account_id = \(account)" }
        if let location = filter.location { conditions = "\(conditions) and location_id = \(location)" }
        if let presence = filter.presence { 
            conditions = """
                \(conditions) and case when presence_until <= \(filter.now) then 'online' else presence end = \(presence)
                """
        }
        if let specialty = filter.specialty {
            conditions = "\(conditions) and lower(\(specialty)) in (select lower(s) from unnest(specialties) s)"
        }
        if let after { conditions = "\(conditions) and (name, id) > (\(after.name), \(after.id)::uuid)" }
        return try await sql.all(
            """
            select \(unsafe: Self.columns) from provider
            where \(conditions)
            order by name, id
            limit \(limit)
            """, as: Practitioner.init(row:))
    }

    /// Keeps the new profile if nobody changed it since `version`.
    func change(
        _ id: ProviderID, specialties: [String]?, languages: [String]?, bookingMode: Practitioner.BookingMode?,
        requestHours: Int?, version: Int
    ) async throws -> Practitioner? {
        try await sql.first(
            """
            update provider
            set specialties = coalesce(\(specialties)::text[], specialties),
                languages = coalesce(\(languages)::text[], languages),
                booking_mode = coalesce(\(bookingMode), booking_mode), request_hours = coalesce(\(requestHours)::int, request_hours),
                version = version + 1
            where id = \(id) and version = \(version)
            returning \(unsafe: Self.columns)
            """, as: Practitioner.init(row:))
    }

    /// Takes a practitioner off the directory whose account no longer is a working doctor's; nil when it is, or when
    /// that was done before.
    func retire(_ account: AccountID) async throws -> Practitioner? {
        try await sql.first(
            """
            update provider set is_active = false, version = version + 1
            where account_id = \(account) and is_active
              and exists (select from account_card c
                          where c.account_id = provider.account_id and not (c.is_doctor and c.is_active))
            returning \(unsafe: Self.columns)
            """, as: Practitioner.init(row:))
    }

    /// Makes the directory say what auth's account says. The practitioner, when something changed for those who
    /// may be booked; nil when it did not. Without a licence that was looked at nobody is bookable on any day.
    func project(_ account: AccountID, newID: ProviderID) async throws -> Practitioner? {
        try await sql.first(
            """
            insert into provider (id, account_id, location_id, zone, name, licensed_until)
            select \(newID), account_id, location_id, zone, coalesce(name, ''), coalesce(licensed_until, '1900-01-01')
            from account_card
            where account_id = \(account) and is_doctor and is_active and location_id is not null
            on conflict on constraint provider_one_per_account do update
            set location_id = excluded.location_id, zone = excluded.zone, name = excluded.name, is_active = true,
                licensed_until = excluded.licensed_until, version = provider.version + 1
            where (provider.location_id, provider.zone, provider.name, provider.is_active, provider.licensed_until)
                is distinct from (excluded.location_id, excluded.zone, excluded.name, true, excluded.licensed_until)
            returning \(unsafe: Self.columns)
            """, as: Practitioner.init(row:))
    }

    /// What queue announced, unless something newer is known.
    func show(_ presence: Practitioner.Presence, until: Timestamp?, of id: ProviderID, revision: Int) async throws {
        try await sql.run(
            """
            update provider
            set presence = \(presence), presence_until = \(until), presence_revision = \(revision),
                version = version + 1
            where id = \(id) and presence_revision < \(revision)
            """
        )
    }

    /// Takes the next revision of the roster. The row stays locked until commit, so two people opening the
    /// same practitioner's time wait for each other here and not inside a constraint.
    func nextRosterRevision(_ id: ProviderID) async throws -> Int? {
        try await sql.first(
            """
            update provider set roster_revision = roster_revision + 1
            where id = \(id) and is_active
            returning roster_revision
            """
        ) { try $0.next() }
    }
}

extension Practitioner {
    init(row: inout Row) throws {
        id = try row.next()
        account = try row.next()
        location = try row.next()
        zone = try row.next()
        name = try row.next()
        specialties = try row.next()
        languages = try row.next()
        isActive = try row.next()
        licensedUntil = try row.next()
        presence = try row.next()
        presenceUntil = try row.next()
        version = try row.next()
        bookingMode = try row.next()
        requestHours = try row.next()
        ratingCount = try row.next()
        ratingSum = try row.next()
    }
}
