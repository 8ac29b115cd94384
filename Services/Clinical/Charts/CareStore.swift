import Contracts
import Loop
import Messaging
import Postgres
import Primitives

/// Every statement that touches `care_relation` and `provider_card`: who has to do with whom.
@LoopActor struct CareStore {
    let sql: any SQLSession

    enum Kind: String, Sendable, SQLBindable { case visit, appointment, arrival, referral }

    /// By account, for what happens here.
    func remember(_ patient: PatientID, with account: AccountID, at location: LocationID, _ kind: Kind) async throws {
        try await remember(patient, "\(account)", location, kind)
    }

    /// By provider, for what others announce; which account that is may become known later.
    func remember(_ patient: PatientID, with provider: ProviderID, at location: LocationID, _ kind: Kind) async throws {
        try await remember(patient, "\(provider)", location, kind)
    }

    private func remember(_ patient: PatientID, _ who: SQL, _ location: LocationID, _ kind: Kind) async throws {
        try await sql.run(
            """
            insert into care_relation (patient_id, who, location_id, kind)
            values (\(patient), \(who), \(location), \(kind)) on conflict do nothing
            """)
    }

    func remember(_ provider: ProviderID, is account: AccountID) async throws {
        try await sql.run(
            """
            insert into provider_card (provider_id, account_id) values (\(provider), \(account))
            on conflict (provider_id) do update set account_id = excluded.account_id
            """)
    }
}

extension Reaction {
    static let rememberProvider = Reaction(to: ProviderListed.self, named: "clinical.remember-provider") { listed, _, tx in
        try await CareStore(sql: tx).remember(listed.providerID, is: listed.accountID)
    }

    /// Who has an appointment with somebody may be read up on by them before it.
    static let relateByAppointment = Reaction(
        to: AppointmentBooked.self, named: "clinical.relate-by-appointment"
    ) { booked, _, tx in
        try await CareStore(sql: tx).remember(booked.patientID, with: booked.providerID, at: booked.locationID, .appointment)
    }

    static let relateByMove = Reaction(
        to: AppointmentRescheduled.self, named: "clinical.relate-by-move"
    ) { moved, _, tx in
        try await CareStore(sql: tx).remember(moved.patientID, with: moved.providerID, at: moved.locationID, .appointment)
    }

    static let relateByArrival = Reaction(to: TokenIssued.self, named: "clinical.relate-by-arrival") { issued, _, tx in
        try await CareStore(sql: tx).remember(issued.patientID, with: issued.providerID, at: issued.locationID, .arrival)
    }
}
