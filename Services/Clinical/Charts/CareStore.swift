import Contracts
import Loop
import Messaging
import Postgres
import Primitives

/// Every statement that touches `care_relation` and `provider_card`: who has to do with whom.
@LoopActor struct CareStore {
    let sql: any SQLSession

    enum Kind: String, Sendable, SQLBindable { case visit, appointment, arrival, referral }

    /// By account, for what happens here. What is known already lasts as long as the longer of both.
    func remember(
        _ patient: PatientID, with account: AccountID, at location: LocationID, _ kind: Kind, until end: Timestamp
    ) async throws {
        try await remember(patient, "\(account)", location, kind, end)
    }

    /// By provider, for what others announce; which account that is may become known later.
    func remember(
        _ patient: PatientID, with provider: ProviderID, at location: LocationID, _ kind: Kind, until end: Timestamp
    ) async throws {
        try await remember(patient, "\(provider)", location, kind, end)
    }

    private func remember(
        _ patient: PatientID, _ who: SQL, _ location: LocationID, _ kind: Kind, _ end: Timestamp
    ) async throws {
        try await sql.run(
            """
            insert into care_relation as c (patient_id, who, location_id, kind, ends_at)
            values (\(patient), \(who), \(location), \(kind), \(end))
            on conflict (patient_id, who, location_id, kind) where appointment_id is null
            do update set ends_at = excluded.ends_at where c.ends_at < excluded.ends_at
            """)
    }

    /// An appointment relates its patient to one practitioner at a time, and to nobody once it is cancelled (`end` is
    /// nil). What is known of it only moves forward, whatever comes first.
    func remember(
        _ appointment: AppointmentID, of patient: PatientID, with provider: ProviderID, at location: LocationID?,
        until end: Timestamp?, revision: Int
    ) async throws {
        try await sql.run(
            """
            insert into care_relation as c (patient_id, who, location_id, kind, appointment_id, ends_at, revision)
            values (\(patient), \(provider), \(location), 'appointment', \(appointment),
                    coalesce(\(end)::timestamptz, '-infinity'), \(revision))
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
        Reaction(to: AppointmentBooked.self, named: "clinical.relate-by-appointment") { booked, envelope, tx in
            try await CareStore(sql: tx).remember(
                booked.appointmentID, of: booked.patientID, with: booked.providerID, at: booked.locationID,
                until: terms.end(of: booked.end, terms.afterAppointment), revision: envelope.revision)
        }
    }

    /// The practitioner it moved away from has nothing to do with it any more.
    static func relateByMove(_ terms: CareTerms) -> Reaction {
        Reaction(to: AppointmentRescheduled.self, named: "clinical.relate-by-move") { moved, envelope, tx in
            try await CareStore(sql: tx).remember(
                moved.appointmentID, of: moved.patientID, with: moved.providerID, at: moved.locationID,
                until: terms.end(of: moved.end, terms.afterAppointment), revision: envelope.revision)
        }
    }

    static let unrelateByCancellation = Reaction(
        to: AppointmentCancelled.self, named: "clinical.unrelate-by-cancellation"
    ) { cancelled, envelope, tx in
        try await CareStore(sql: tx).remember(
            cancelled.appointmentID, of: cancelled.patientID, with: cancelled.providerID, at: nil, until: nil,
            revision: envelope.revision)
    }

    static func relateByArrival(_ terms: CareTerms) -> Reaction {
        Reaction(to: TokenIssued.self, named: "clinical.relate-by-arrival") { issued, _, tx in
            try await CareStore(sql: tx).remember(
                issued.patientID, with: issued.providerID, at: issued.locationID, .arrival,
                until: terms.end(of: issued.issuedAt, terms.afterAppointment))
        }
    }
}
