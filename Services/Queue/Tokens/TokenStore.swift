import Access
import Bootstrap
import Loop
import Postgres
import Primitives

/// Every statement that changes the `token` and `queue_day` tables.
///
/// Whatever changes a token bumps its day's version in the same statement, so that a copy of the board can be
/// known to be exact.
@LoopActor
struct TokenStore {
    let sql: any SQLSession
    let scope: PatientScope

    static let columns = """
        id, sequence, patient_id, provider_id, location_id, appointment_id, local_date, priority, urgency, lane,
        due_at, issued_at, status, called_at, completed_at, waited_seconds, version
        """

    func find(_ id: TokenID) async throws -> Token? {
        try await sql.first(
            "select \(unsafe: Self.columns) from token where id = \(id) and \(scope.clause("patient_id"))",
            as: Token.init(row:))
    }

    func findForUpdate(_ id: TokenID) async throws -> Token? {
        try await sql.first(
            "select \(unsafe: Self.columns) from token where id = \(id) and \(scope.clause("patient_id")) for no key update",
            as: Token.init(row:))
    }

    func findForUpdate(of appointment: AppointmentID) async throws -> Token? {
        try await sql.first(
            """
            select \(unsafe: Self.columns) from token
            where appointment_id = \(appointment) and status <> 'LEFT' and \(scope.clause("patient_id"))
            for no key update
            """, as: Token.init(row:))
    }

    struct Arrival: Sendable {
        let id: TokenID
        let patient: PatientID
        let provider: ProviderID
        let location: LocationID
        let appointment: AppointmentID?
        let localDate: LocalDate
        let priority: Priority
        let place: Place
        let at: Timestamp
    }

    /// Takes the day's next number and issues the token, with its position; nil when the patient has one.
    ///
    /// The day's row serialises arrivals at one site, and a conflict leaves no row: the caller then rolls back,
    /// the number goes back too, and numbers have no gaps. Who walks in is never due before those who walked in
    /// and wait: were it so, some clock was wrong, and the numbers know better.
    func issue(_ arrival: Arrival) async throws -> (token: Token, position: Int)? {
        // Looked at first so that the second click of a desk does not queue for the day's row.
        let existing: SQL =
            if let appointment = arrival.appointment {
                "appointment_id = \(appointment) and status <> 'LEFT'"
            } else {
                """
                patient_id = \(arrival.patient) and provider_id = \(arrival.provider)
                and local_date = \(arrival.localDate) and status in ('WAITING', 'WITH_DOCTOR', 'SKIPPED')
                """
            }
        return try await sql.first(
            """
            with counted as (
                insert into queue_day as d (location_id, local_date, last_sequence)
                select \(arrival.location), \(arrival.localDate), 1
                where not exists (select from token where \(existing))
                on conflict on constraint queue_day_key do update
                set last_sequence = d.last_sequence + 1, version = d.version + 1
                returning last_sequence
            ), issued as (
                insert into token (id, sequence, patient_id, provider_id, location_id, appointment_id, local_date,
                                   priority, urgency, lane, due_at, issued_at)
                select \(arrival.id), last_sequence, \(arrival.patient), \(arrival.provider), \(arrival.location),
                       \(arrival.appointment), \(arrival.localDate), \(arrival.priority), \(arrival.place.urgency),
                       \(arrival.place.lane),
                       case when \(arrival.place.lane) = 0 then \(arrival.place.due)::timestamptz else
                           greatest(\(arrival.place.due)::timestamptz,
                               (select max(t.due_at) from token t
                                where t.provider_id = \(arrival.provider) and t.local_date = \(arrival.localDate)
                                  and t.status = 'WAITING' and t.urgency = \(arrival.place.urgency) and t.lane = 1)) end,
                       \(arrival.at)
                from counted
                on conflict do nothing
                returning \(unsafe: Self.columns)
            )
            select 1 + (select count(*) from token t
                        where t.provider_id = \(arrival.provider) and t.local_date = \(arrival.localDate)
                          and t.status = 'WAITING'
                          and (t.urgency, t.lane, t.due_at, t.sequence)
                              < (issued.urgency, issued.lane, issued.due_at, issued.sequence)),
                   issued.*
            from issued
            """
        ) { row in
            let position = try row.next(as: Int.self)
            return (try Token(row: &row), position)
        }
    }

    /// Calls the first who waits, in one statement; nil when nobody does or somebody is with the doctor.
    ///
    /// `skip locked` steps over a token that a desk is changing at this moment.
    func callNext(of provider: ProviderID, on date: LocalDate, at now: Timestamp) async throws -> Token? {
        try await onConstraint("token_one_with_doctor", throw: TokenError.alreadyServing) {
            try await sql.first(
                """
                with called as (
                    update token
                    set status = 'WITH_DOCTOR', called_at = \(now), version = version + 1,
                        waited_seconds = coalesce(waited_seconds,
                            greatest(extract(epoch from \(now)::timestamptz - issued_at)::int, 0))
                    where id = (
                        select id from token
                        where provider_id = \(provider) and local_date = \(date) and status = 'WAITING'
                          and not exists (select from token s
                                          where s.provider_id = \(provider) and s.local_date = \(date)
                                            and s.status = 'WITH_DOCTOR')
                        order by urgency, lane, due_at, sequence
                        limit 1
                        for no key update skip locked)
                    returning \(unsafe: Self.columns)
                ), bumped as (
                    update queue_day d set version = d.version + 1
                    from called
                    where d.location_id = called.location_id and d.local_date = called.local_date
                )
                select * from called
                """, as: Token.init(row:))
        }
    }

    func isServing(_ provider: ProviderID, on date: LocalDate) async throws -> Bool {
        try await sql.first(
            """
            select true from token
            where provider_id = \(provider) and local_date = \(date) and status = 'WITH_DOCTOR'
            """
        ) { try $0.next() } ?? false
    }

    /// Keeps a transition.
    func update(_ token: Token) async throws {
        _ = try await onConstraint("token_one_with_doctor", throw: TokenError.alreadyServing) {
            try await sql.run(
                """
                with changed as (
                    update token
                    set status = \(token.status), called_at = \(token.calledAt), completed_at = \(token.completedAt),
                        waited_seconds = \(token.waitedSeconds), version = \(token.version)
                    where id = \(token.id)
                    returning location_id, local_date
                )
                update queue_day d set version = d.version + 1
                from changed
                where d.location_id = changed.location_id and d.local_date = changed.local_date
                """
            )
        }
    }

    /// The room beside a practitioner's tokens has changed: wherever they are on a board today, it is another board.
    func touchBoards(of provider: ProviderID, on date: LocalDate) async throws -> [LocationID] {
        try await sql.all(
            """
            update queue_day set version = version + 1
            where local_date = \(date)
              and location_id in (select location_id from token
                                  where provider_id = \(provider) and local_date = \(date)
                                    and status in ('WAITING', 'WITH_DOCTOR'))
            returning location_id
            """
        ) { try $0.next() }
    }
}
