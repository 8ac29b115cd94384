import Contracts
import Messaging
import Postgres
import Primitives

/// How the cards are fed. The events of one appointment travel in three queues, so a card only moves forward.
extension Reaction {
    static let rememberProvider = Reaction(
        to: ProviderListed.self, named: "queue.remember-provider"
    ) { listed, envelope, tx in
        let card = ProviderCard(
            id: listed.providerID, account: listed.accountID, location: listed.locationID, zone: listed.zone)
        try await CardStore(sql: tx).remember(card, revision: envelope.revision)
    }

    /// Who waits for them keeps the place, for somebody to move; nobody new is given one.
    static let retireProvider = Reaction(
        to: ProviderRetired.self, named: "queue.retire-provider"
    ) { retired, envelope, tx in
        try await CardStore(sql: tx).retire(retired.providerID, revision: envelope.revision)
    }

    /// Somebody has looked at the licence. It is heard of by account, maybe before the practitioner is.
    static let licenseProvider = Reaction(
        to: LicenceVerified.self, named: "queue.license-provider"
    ) { verified, envelope, tx in
        try await CardStore(sql: tx).remember(verified.accountID, licensedUntil: verified.validUntil, revision: envelope.revision)
    }

    /// Who waits for them keeps the place; they call nobody, and nobody new is given one.
    static let unlicenseProvider = Reaction(
        to: LicenceWithdrawn.self, named: "queue.unlicense-provider"
    ) { withdrawn, envelope, tx in
        try await CardStore(sql: tx).remember(withdrawn.accountID, licensedUntil: nil, revision: envelope.revision)
    }

    static let rememberBooking = Reaction(
        toAll: AppointmentBooked.self, named: "queue.remember-booking"
    ) { facts, tx in
        let cards = facts.newest().map { fact in
            let booked = fact.event
            return AppointmentCard(
                id: booked.appointmentID, patient: booked.patientID, provider: booked.providerID,
                location: booked.locationID, start: booked.start, localDate: booked.localDate, status: "booked",
                priority: Priority(rawValue: booked.priority) ?? .routine, revision: fact.envelope.revision)
        }
        try await CardStore(sql: tx).remember(cards)
    }

    static let rememberMove = Reaction(
        toAll: AppointmentRescheduled.self, named: "queue.remember-move"
    ) { facts, tx in
        let cards = facts.newest().map { fact in
            let moved = fact.event
            return AppointmentCard(
                id: moved.appointmentID, patient: moved.patientID, provider: moved.providerID,
                location: moved.locationID, start: moved.start, localDate: moved.localDate, status: "booked",
                priority: Priority(rawValue: moved.priority) ?? .routine, revision: fact.envelope.revision)
        }
        try await CardStore(sql: tx).remember(cards)
    }

    static let rememberCancellation = Reaction(
        toAll: AppointmentCancelled.self, named: "queue.remember-cancellation"
    ) { facts, tx in
        let cards = facts.newest().map { fact in
            let cancelled = fact.event
            return AppointmentCard(
                id: cancelled.appointmentID, patient: cancelled.patientID, provider: cancelled.providerID,
                location: nil, start: cancelled.start, localDate: cancelled.localDate, status: "cancelled",
                priority: .routine, revision: fact.envelope.revision)
        }
        try await CardStore(sql: tx).remember(cards)
    }

    static let rememberPatient = Reaction(
        toAll: PatientRegistered.self, named: "queue.remember-patient"
    ) { registered, tx in
        try await CardStore(sql: tx).remember(registered.map(\.event.patientID))
    }

    static let forgetPatient = Reaction(
        to: PatientInactivated.self, named: "queue.forget-patient"
    ) { inactivated, _, tx in
        try await CardStore(sql: tx).remember(inactivated.patientID, active: false)
    }

    static let rememberLocation = Reaction(
        to: LocationOpened.self, named: "queue.remember-location"
    ) { opened, _, tx in
        try await CardStore(sql: tx).remember(opened.locationID, zone: opened.zone)
    }
}
