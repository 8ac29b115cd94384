import Access
import Bootstrap
import HTTP
import Loop
import Postgres
import Primitives

/// Every statement that touches the `appointment` table, and the claim on the slot behind a new one.
@LoopActor
struct AppointmentStore {
    let sql: any SQLSession
    let scope: PatientScope

    private static let columns = """
        id, slot_id, provider_id, patient_id, location_id, starts_at, ends_at, local_date, status, modality,
        priority, sealed_reason, sealed_cancel_reason, token_id, visit_id, version, booked_at, answer_by
        """

    func find(_ id: AppointmentID) async throws -> Appointment? {
        try await sql.first(
            "select \(unsafe: Self.columns) from appointment where id = \(id) and \(scope.appointments)", as: Appointment.init(row:))
    }

    func findForUpdate(_ id: AppointmentID) async throws -> Appointment? {
        try await sql.first(
            "select \(unsafe: Self.columns) from appointment where id = \(id) and \(scope.appointments) for no key update",
            as: Appointment.init(row:))
    }

    /// Asked of a store that sees all: whose it is goes into the trail; the caller is told that there is no such thing.
    func refusal(of id: AppointmentID, to caller: Principal) async throws -> Problem {
        caller.trail?.refuse(try await find(id)?.patient)
        return .notFound("appointment")
    }

    struct Wish: Sendable {
        let slot: SlotID
        let patient: PatientID
        let modality: Appointment.Modality
        let priority: Appointment.Priority
        var reason: SealedText?
    }

    enum Claim {
        case booked(Appointment)
        /// The slot was ours but the patient is expected elsewhere then: roll back.
        case patientBusy
        /// The slot is not to be had; why is another question.
        case slotUnavailable
        case patientInactive
        case patientUnknown
    }

    /// Claims the slot and books it, in one statement; `asking` where the practitioner wants to be asked makes it a request.
    ///
    /// The update of the slot decides between many who want it: the first locks the row, the others wait for
    /// its commit and then find it no longer free. Measured against `skip locked` and equal or faster, and the
    /// losers are told the truth even if the winner rolls back. The insert never waits in a circle, because
    /// `on conflict do nothing` gives up on a patient's other appointment instead of queueing behind it.
    func book(
        _ wish: Wish, as id: AppointmentID, by account: AccountID, asking: Bool, at now: Timestamp
    ) async throws -> Claim {
        let claim = try await sql.first(
            """
            with patient as (
                select is_active from patient_card where patient_id = \(wish.patient)
            ), claimed as (
                update slot set status = 'booked', version = version + 1
                where id = \(wish.slot) and status = 'free' and starts_at > \(now)
                  and (select is_active from patient)
                  and exists (select from provider where provider.id = slot.provider_id and provider.is_active
                                and provider.licensed_until >= slot.local_date)
                returning id, provider_id, location_id, starts_at, ends_at, local_date
            ), booked as (
                insert into appointment (id, slot_id, provider_id, patient_id, location_id, starts_at, ends_at,
                                         local_date, modality, priority, sealed_reason, booked_by, status, answer_by)
                select \(id), c.id, c.provider_id, \(wish.patient), c.location_id, c.starts_at, c.ends_at, c.local_date,
                       \(wish.modality), \(wish.priority), \(wish.reason.map { Bytes($0.bytes) }), \(account),
                       case when asked.hours is null then 'booked' else 'requested' end,
                       least(\(now)::timestamptz + asked.hours * interval '1 hour', case when asked.hours is not null then c.starts_at end)
                from claimed c left join lateral (
                    select p.request_hours as hours from provider p
                    where p.id = c.provider_id and p.booking_mode = 'request' and \(asking)) asked on true
                on conflict do nothing
                returning \(unsafe: Self.columns)
            )
            select (select is_active from patient), exists (select from claimed), booked.id is not null, booked.*
            from (values (1)) as always left join booked on true
            """
        ) { row in
            guard let isActive = try row.next(as: Bool?.self) else { return Claim.patientUnknown }
            guard isActive else { return .patientInactive }
            let isClaimed = try row.next(as: Bool.self)
            let isBooked = try row.next(as: Bool.self)
            if isBooked { return .booked(try Appointment(row: &row)) }
            return isClaimed ? .patientBusy : .slotUnavailable
        }
        return claim ?? .slotUnavailable
    }

    struct Filter {
        var provider: ProviderID?
        var patient: PatientID?
        var date: LocalDate?
        var status: Appointment.Status?
    }

    func list(
        _ filter: Filter, after: (start: Timestamp, id: AppointmentID)?, limit: Int
    ) async throws -> [Appointment] {
        var conditions = scope.appointments
        if let provider = filter.provider { conditions = "\(conditions) and provider_id = \(provider)" }
        if let patient = filter.patient { conditions = "\(conditions) and patient_id = \(patient)" }
        if let date = filter.date { conditions = "\(conditions) and local_date = \(date)" }
        if let status = filter.status { conditions = "\(conditions) and status = \(status)" }
        if let after {
            conditions = "\(conditions) and (starts_at, id) > (\(after.start)::timestamptz, \(after.id)::uuid)"
        }
        return try await sql.all(
            """
            select \(unsafe: Self.columns) from appointment
            where \(conditions)
            order by starts_at, id
            limit \(limit)
            """, as: Appointment.init(row:))
    }

    /// Keeps every changed field. The constraints have the last word about the patient's and the slot's time.
    func update(_ appointment: Appointment) async throws {
        _ = try await onConstraint("appointment_patient_in_one_place", throw: AppointmentError.patientBusy) {
            try await onConstraint("appointment_one_per_slot", throw: AppointmentError.slotTaken) {
                try await sql.run(
                    """
                    update appointment
                    set slot_id = \(appointment.slot), provider_id = \(appointment.provider),
                        location_id = \(appointment.location), starts_at = \(appointment.start),
                        ends_at = \(appointment.end), local_date = \(appointment.localDate),
                        status = \(appointment.status), sealed_reason = \(appointment.reason.map { Bytes($0.bytes) }),
                        sealed_cancel_reason = \(appointment.cancelReason.map { Bytes($0.bytes) }), token_id = \(appointment.token),
                        visit_id = \(appointment.visit), version = \(appointment.version)
                    where id = \(appointment.id)
                    """
                )
            }
        }
    }

    /// Requests whose time for an answer is over, some at a time, skipping what is being answered now.
    func lockUnanswered(by now: Timestamp, limit: Int) async throws -> [Appointment] {
        try await sql.all(
            """
            select \(unsafe: Self.columns) from appointment where is_asked and answer_by <= \(now)
            order by answer_by limit \(limit) for no key update skip locked
            """, as: Appointment.init(row:))
    }

    /// Writes off those nobody came to, some at a time, skipping what another replica or a desk holds now.
    func sweepNoShows(endedBefore: Timestamp, limit: Int) async throws -> [AppointmentID] {
        try await sql.all(
            """
            update appointment set status = 'noshow', version = version + 1
            where id in (select id from appointment where holds_time and status = 'booked' and ends_at < \(endedBefore)
                         order by ends_at limit \(limit) for no key update skip locked)
            returning id
            """
        ) { try $0.next() }
    }
}
