import Contracts
import Loop
import Messaging
import Postgres
import Primitives

/// Every statement that touches `care_relation` and `provider_card`: who has to do with whom.
@LoopActor struct CareStore {
    let sql: any SQLSession

    /// What relates by account; appointments and arrivals relate by provider, below.
    enum Kind: String, Sendable, SQLBindable { case visit, referral }

    /// By account, for what happens here. What is known already lasts as long as the longer of both.
    func remember(
        _ patient: PatientID, with account: AccountID, at location: LocationID, _ kind: Kind, until end: Timestamp
    ) async throws {
        try await sql.run(
            """
            insert into care_relation as c (patient_id, who, location_id, kind, ends_at)
            values (\(patient), \(account), \(location), \(kind), \(end))
            on conflict (patient_id, who, location_id, kind) where appointment_id is null
            do update set ends_at = excluded.ends_at where c.ends_at < excluded.ends_at
            """)
    }

    /// Who came to see whom, by provider: which account that is may become known later. One statement for any number.
    func remember(_ arrivals: [Arrival]) async throws {
        try await sql.run(
            """
            insert into care_relation as c (patient_id, who, location_id, kind, ends_at)
            select patient, who, location, 'arrival', max(ends_at)
            from unnest(\(arrivals.map(\.patient))::uuid[], \(arrivals.map(\.provider))::uuid[],
                        \(arrivals.map(\.location))::uuid[], \(arrivals.map(\.end))::timestamptz[])
                as came (patient, who, location, ends_at)
            group by patient, who, location order by patient, who, location
            on conflict (patient_id, who, location_id, kind) where appointment_id is null
            do update set ends_at = excluded.ends_at where c.ends_at < excluded.ends_at
            """)
    }

    /// An appointment relates its patient to one practitioner at a time, and to nobody once it is cancelled (`end` is
    /// nil). What is known of it only moves forward, whatever comes first. Each appointment once, in any order.
    func remember(_ appointments: [Arranged]) async throws {
        try await sql.run(
            """
            insert into care_relation as c (patient_id, who, location_id, kind, appointment_id, ends_at, revision)
            select patient, who, location, 'appointment', appointment, coalesce(ends_at, '-infinity'), revision
            from unnest(\(appointments.map(\.patient))::uuid[], \(appointments.map(\.provider))::uuid[],
                        \(SQLArray(appointments.map(\.location)))::uuid[], \(appointments.map(\.appointment))::uuid[],
                        \(SQLArray(appointments.map(\.end)))::timestamptz[], \(appointments.map(\.revision))::int[])
                as arranged (patient, who, location, appointment, ends_at, revision)
            order by appointment
            on conflict (appointment_id) where appointment_id is not null
            do update set who = excluded.who, location_id = coalesce(excluded.location_id, c.location_id),
                          ends_at = excluded.ends_at, revision = excluded.revision
            where c.revision < excluded.revision
            """)
    }

    func account(of provider: ProviderID) async throws -> AccountID? {
        try await sql.first("select account_id from provider_card where provider_id = \(provider)") { try $0.next() }
    }

    func remember(_ provider: ProviderID, is account: AccountID) async throws {
        try await sql.run(
            """
            insert into provider_card (provider_id, account_id) values (\(provider), \(account))
            on conflict (provider_id) do update set account_id = excluded.account_id
            """)
    }
}

/// A patient whom the queue gave a token, for one practitioner.
struct Arrival: Sendable {
    let patient: PatientID
    let provider: ProviderID
    let location: LocationID
    let end: Timestamp
}

/// What an appointment says of who has to do with whom; `end` is nil when it is cancelled.
struct Arranged: Sendable {
    let appointment: AppointmentID
    let patient: PatientID
    let provider: ProviderID
    let location: LocationID?
    let end: Timestamp?
    let revision: Int
}

/// How long each kind of relation lasts. Two years of visits, because who comes once a year is still a patient.
struct CareTerms: Sendable {
    let afterVisit: Duration
    let afterAppointment: Duration
    let afterReferral: Duration
    /// A visit that began on a broken glass can be written down, and is no door for the years after.
    static let afterBrokenGlass: Duration = .seconds(86_400)

    /// An appointment or an arrival counts from its day, so that who reads up on it tomorrow still may.
    func end(of start: Timestamp, _ term: Duration) -> Timestamp { start.adding(seconds: term.components.seconds) }
}

extension Reaction {
    static let rememberProvider = Reaction(to: ProviderListed.self, named: "clinical.remember-provider") { listed, _, tx in
        try await CareStore(sql: tx).remember(listed.providerID, is: listed.accountID)
    }

    /// Who has an appointment with somebody may be read up on by them before it, and for some days after.
    static func relateByAppointment(_ terms: CareTerms) -> Reaction {
        Reaction(toAll: AppointmentBooked.self, named: "clinical.relate-by-appointment") { facts, tx in
            try await CareStore(sql: tx).remember(
                facts.newest().map { fact in
                    let booked = fact.event
                    return Arranged(
                        appointment: booked.appointmentID, patient: booked.patientID, provider: booked.providerID,
                        location: booked.locationID, end: terms.end(of: booked.end, terms.afterAppointment),
                        revision: fact.envelope.revision)
                })
        }
    }

    /// The practitioner it moved away from has nothing to do with it any more.
    static func relateByMove(_ terms: CareTerms) -> Reaction {
        Reaction(toAll: AppointmentRescheduled.self, named: "clinical.relate-by-move") { facts, tx in
            try await CareStore(sql: tx).remember(
                facts.newest().map { fact in
                    let moved = fact.event
                    return Arranged(
                        appointment: moved.appointmentID, patient: moved.patientID, provider: moved.providerID,
                        location: moved.locationID, end: terms.end(of: moved.end, terms.afterAppointment),
                        revision: fact.envelope.revision)
                })
        }
    }

    static let unrelateByCancellation = Reaction(
        toAll: AppointmentCancelled.self, named: "clinical.unrelate-by-cancellation"
    ) { facts, tx in
        try await CareStore(sql: tx).remember(
            facts.newest().map { fact in
                let cancelled = fact.event
                return Arranged(
                    appointment: cancelled.appointmentID, patient: cancelled.patientID, provider: cancelled.providerID,
                    location: nil, end: nil, revision: fact.envelope.revision)
            })
    }

    static func relateByArrival(_ terms: CareTerms) -> Reaction {
        Reaction(toAll: TokenIssued.self, named: "clinical.relate-by-arrival") { facts, tx in
            try await CareStore(sql: tx).remember(
                facts.map { fact in
                    let issued = fact.event
                    return Arrival(
                        patient: issued.patientID, provider: issued.providerID, location: issued.locationID,
                        end: terms.end(of: issued.issuedAt, terms.afterAppointment))
                })
        }
    }
}
