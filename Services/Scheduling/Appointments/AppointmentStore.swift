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

    struct Wish {
        let id: AppointmentID
        let slot: SlotID
        let patient: PatientID
        let modality: Appointment.Modality
        let priority: Appointment.Priority
        var reason: SealedText?
        let account: AccountID
        /// Whether it becomes a request where the practitioner wants to be asked.
        let asks: Bool
    }

    enum Claim {
        case booked(Appointment)
        /// The slot is free but the patient is expected elsewhere then.
        case patientBusy
        /// The slot is not to be had; why is another question.
        case slotUnavailable
        case patientInactive
        case patientUnknown
    }

    /// Claims the slots and books them, in one statement; what became of the n-th wish is the n-th. Where nothing was booked nothing
    /// was changed.
    ///
    /// The lock on the slot decides between many who want it: the first has it, the others wait for its commit and then find
    /// it no longer free, and are told the truth even if the first rolls back. Who is not `waiting` finds a slot that somebody holds
    /// unavailable: of many wishes one would hold up all, and two who lock many slots could wait in a circle. An appointment of
    /// the patient that somebody is just booking is waited for, in the order of patients, so never in a circle either.
    ///
    /// Each wish looks its patient, slot and practitioner up by key, in this order: a join would let Postgres, which knows only what
    /// the average tenant has, begin with the practitioners and read all their free slots (73 ms a booking, where ten tenants share 200,000). The lock on the slot
    /// and `offset 0` are what keeps these from becoming joins.
    func book(_ wishes: [Wish], waiting: Bool, at now: Timestamp) async throws -> [Claim] {
        try await sql.all(
            """
            with wish as (
                select * from unnest(
                    \(wishes.map(\.id))::uuid[], \(wishes.map(\.slot))::uuid[], \(wishes.map(\.patient))::uuid[],
                    \(wishes.map(\.modality))::text[], \(wishes.map(\.priority))::text[],
                    \(SQLArray(wishes.map { $0.reason.map { Bytes($0.bytes) } }))::bytea[], \(wishes.map(\.account))::uuid[],
                    \(wishes.map(\.asks))::boolean[]
                ) with ordinality as w (id, slot_id, patient_id, modality, priority, sealed_reason, booked_by, asks, place)
            ), claimed as (
                select w.id, slot.id as slot_id, slot.provider_id, w.patient_id, slot.location_id, slot.starts_at, slot.ends_at,
                       slot.local_date, w.modality, w.priority, w.sealed_reason, w.booked_by,
                       case when w.asks and provider.booking_mode = 'request' then provider.request_hours end as hours
                from wish w
                cross join lateral (
                    select * from slot where slot.id = w.slot_id and slot.status = 'free' and slot.starts_at > \(now)
                    for no key update \(unsafe: waiting ? "" : "skip locked")
                ) slot
                cross join lateral (
                    select * from provider where provider.id = slot.provider_id offset 0
                ) provider
                where (select is_active from patient_card where patient_card.patient_id = w.patient_id)
                  and provider.is_active and provider.licensed_until >= slot.local_date
            ), booked as (
                insert into appointment (id, slot_id, provider_id, patient_id, location_id, starts_at, ends_at,
                                         local_date, modality, priority, sealed_reason, booked_by, status, answer_by)
                select id, slot_id, provider_id, patient_id, location_id, starts_at, ends_at,
                       local_date, modality, priority, sealed_reason, booked_by,
                       case when hours is null then 'booked' else 'requested' end,
                       case when hours is not null then least(\(now)::timestamptz + hours * interval '1 hour', starts_at) end
                from claimed order by patient_id
                on conflict do nothing
                returning \(unsafe: Self.columns)
            ), taken as (
                update slot set status = 'booked', version = slot.version + 1 from booked where slot.id = booked.slot_id
            )
            select (select is_active from patient_card where patient_card.patient_id = wish.patient_id),
                   exists (select from claimed where claimed.id = wish.id), booked.id is not null, booked.*
            from wish
            left join booked on booked.id = wish.id
            order by wish.place
            """
        ) { row in
            guard let isActive = try row.next(as: Bool?.self) else { return Claim.patientUnknown }
            guard isActive else { return .patientInactive }
            let isClaimed = try row.next(as: Bool.self)
            let isBooked = try row.next(as: Bool.self)
            if isBooked { return .booked(try Appointment(row: &row)) }
            return isClaimed ? .patientBusy : .slotUnavailable
        }
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
