import Access
import Bootstrap
import Contracts
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// Whether a patient can be booked, kept by events and checked with clinical when we are about to refuse.
@LoopActor
struct PatientCards {
    let host: Host

    /// Asks clinical once and keeps the answer. Throws the refusal if it still is one.
    func refresh(_ patient: PatientID, as caller: Principal) async throws {
        guard let card = try await host.cards.ask("clinical", "/internal/cards/patients/\(patient)", as: caller)
        else { throw AppointmentError.patientUnknown }
        let isActive = try card.required("active", as: Bool.self)
        try await host.db.transaction(for: caller.tenant) { tx in
            try await CardStore(sql: tx).remember(patient, active: isActive)
        }
        guard isActive else { throw AppointmentError.patientInactive }
    }

    /// Asks clinical each time: a consent is taken back at any moment, and video appointments are few.
    func requireConsent(to purpose: String, of patient: PatientID, as caller: Principal) async throws {
        guard let card = try await host.cards.ask("clinical", "/internal/cards/patients/\(patient)", as: caller)
        else { throw AppointmentError.patientUnknown }
        // A clinical of the release before does not say; it is not taken for a yes.
        guard try card.optional("consents", as: [String].self)?.contains(purpose) == true else { throw AppointmentError.consentMissing }
    }
}

extension Reaction {
    /// A patient who has a record can be booked.
    static let rememberPatient = Reaction(
        toAll: PatientRegistered.self, named: "scheduling.remember-patient"
    ) { registered, tx in
        try await CardStore(sql: tx).remember(registered.map(\.event.patientID))
    }

    /// A closed record takes no new bookings; what is booked stays until somebody cancels it.
    static let forgetPatient = Reaction(
        to: PatientInactivated.self, named: "scheduling.forget-patient"
    ) { inactivated, _, tx in
        try await CardStore(sql: tx).remember(inactivated.patientID, active: false)
    }

    /// What a patient comes for is then told to fewer.
    static let rememberRestriction = Reaction(
        to: PatientRestrictionChanged.self, named: "scheduling.remember-restriction"
    ) { changed, _, tx in
        try await CardStore(sql: tx).remember(changed.patientID, restricted: changed.isRestricted, at: changed.at)
    }

    /// The sweeper visits every tenant.
    static let rememberTenant = Reaction(
        to: TenantOpened.self, named: "scheduling.remember-tenant"
    ) { opened, _, tx in
        try await CardStore(sql: tx).remember(tenant: opened.tenantID)
    }

    /// The zone of a site decides what its opening hours mean.
    static let rememberLocation = Reaction(
        to: LocationOpened.self, named: "scheduling.remember-location"
    ) { opened, _, tx in
        try await CardStore(sql: tx).remember(opened.locationID, zone: opened.zone)
    }
}
