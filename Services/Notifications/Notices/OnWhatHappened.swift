import Contracts
import Messaging
import Postgres
import Primitives

/// Which facts become a notice, and for whom.
extension Reaction {
    /// The pharmacists reorder before the shelf is empty.
    static let warnOfLowStock = Reaction(to: StockRanLow.self, named: "notifications.warn-of-low-stock") { _, envelope, tx in
        try await tell("stock_ran_low", [.role("pharmacist")], of: envelope, in: tx)
    }

    static let tellOfBooking = Reaction(toAll: AppointmentBooked.self, named: "notifications.tell-of-booking") { booked, tx in
        // The reminders first: what the notices need of the database is wanted by every other transaction that tells.
        try await ReminderStore(sql: tx).plan(
            booked.newest().flatMap {
                Reminder.planned(
                    for: $0.event.appointmentID, of: $0.event.patientID, startingAt: $0.event.start, asOf: $0.envelope.occurredAt)
            })
        try await NoticeStore(sql: tx).insert(
            booked.flatMap { fact in
                [.patient(fact.event.patientID), .provider(fact.event.providerID)].map {
                    Notice.caused(by: fact.envelope, kind: "appointment_booked", for: $0)
                }
            })
    }

    static let tellOfMove = Reaction(to: AppointmentRescheduled.self, named: "notifications.tell-of-move") { moved, envelope, tx in
        try await tell("appointment_rescheduled", [.patient(moved.patientID), .provider(moved.providerID)], of: envelope, in: tx)
        if let previous = moved.previousProviderID {
            try await tell("appointment_moved_away", [.provider(previous)], of: envelope, in: tx)
        }
        let store = ReminderStore(sql: tx)
        try await store.void(moved.appointmentID)
        try await store.plan(
            Reminder.planned(for: moved.appointmentID, of: moved.patientID, startingAt: moved.start, asOf: envelope.occurredAt))
    }

    static let tellOfCancellation = Reaction(to: AppointmentCancelled.self, named: "notifications.tell-of-cancellation") { cancelled, envelope, tx in
        try await tell(
            "appointment_cancelled", [.patient(cancelled.patientID), .provider(cancelled.providerID)], of: envelope, in: tx)
        try await ReminderStore(sql: tx).void(cancelled.appointmentID)
    }

    /// A doctor who wants to be asked is. Nobody is reminded of what is not booked.
    static let tellOfRequest = Reaction(
        to: AppointmentRequested.self, named: "notifications.tell-of-request"
    ) { requested, envelope, tx in
        try await tell("appointment_requested", [.provider(requested.providerID)], of: envelope, in: tx)
    }

    static let tellOfEndedRequest = Reaction(
        to: AppointmentRequestEnded.self, named: "notifications.tell-of-ended-request"
    ) { ended, envelope, tx in
        try await tell(
            "appointment_\(ended.outcome)", [.patient(ended.patientID), .provider(ended.providerID)], of: envelope, in: tx)
    }

    /// A patient who came, booked or not, is whom the doctor sees next.
    static let tellOfArrival = Reaction(toAll: TokenIssued.self, named: "notifications.tell-of-arrival") { issued, tx in
        try await NoticeStore(sql: tx).insert(
            issued.map { Notice.caused(by: $0.envelope, kind: "patient_arrived", for: .provider($0.event.providerID)) })
    }

    static let tellOfPrescription = Reaction(to: PrescriptionIssued.self, named: "notifications.tell-of-prescription") { issued, envelope, tx in
        try await tell("prescription_issued", [.role("pharmacist"), .patient(issued.patientID)], of: envelope, in: tx)
    }

    /// Whoever oversees hears of it at once, and again when nobody has looked.
    static let tellOfBrokenGlass = Reaction(to: GlassBroken.self, named: "notifications.tell-of-broken-glass") { _, envelope, tx in
        try await tell("glass_broken", [.role("admin"), .role("auditor")], of: envelope, in: tx)
    }

    static let tellOfMissedReview = Reaction(to: GlassUnreviewed.self, named: "notifications.tell-of-missed-review") { _, envelope, tx in
        try await tell("glass_unreviewed", [.role("admin"), .role("auditor")], of: envelope, in: tx)
    }

    static let tellOfPasswordSpray = Reaction(to: PasswordSprayNoticed.self, named: "notifications.tell-of-password-spray") { _, envelope, tx in
        try await tell("password_spray_noticed", [.role("admin")], of: envelope, in: tx)
    }

    static let tellOfVerifiedLicence = Reaction(
        to: LicenceVerified.self, named: "notifications.tell-of-verified-licence"
    ) { verified, envelope, tx in
        try await tell("licence_verified", [.account(verified.accountID)], of: envelope, in: tx)
    }

    static let tellOfWithdrawnLicence = Reaction(
        to: LicenceWithdrawn.self, named: "notifications.tell-of-withdrawn-licence"
    ) { withdrawn, envelope, tx in
        try await tell("licence_withdrawn", [.account(withdrawn.accountID)], of: envelope, in: tx)
    }

    /// The law gives a month: the administrators hear of a request when it comes and when its day comes near.
    static let tellOfPrivacyRequest = Reaction(to: PrivacyRequestFiled.self, named: "notifications.tell-of-privacy-request") { _, envelope, tx in
        try await tell("privacy_request_filed", [.role("admin")], of: envelope, in: tx)
    }

    static let tellOfOpenRequest = Reaction(to: PrivacyRequestRemainedOpen.self, named: "notifications.tell-of-open-request") { _, envelope, tx in
        try await tell("privacy_request_due", [.role("admin")], of: envelope, in: tx)
    }

    static let tellOfAnsweredRequest = Reaction(
        to: PrivacyRequestAnswered.self, named: "notifications.tell-of-answered-request"
    ) { answered, envelope, tx in
        try await tell("privacy_request_answered", [.patient(answered.patientID)], of: envelope, in: tx)
    }

    /// Whoever took back the consent to reminders is reminded no more.
    static let rememberConsent = Reaction(to: ConsentChanged.self, named: "notifications.remember-consent") { changed, _, tx in
        guard changed.purpose == "reminders" else { return }
        try await ReminderStore(sql: tx).remember(changed)
    }

    static let rememberTenant = Reaction(to: TenantOpened.self, named: "notifications.remember-tenant") { opened, _, tx in
        try await ReminderStore(sql: tx).remember(opened.tenantID)
    }
}

private func tell(
    _ kind: String, _ audiences: [Notice.Audience], of envelope: Envelope, in tx: Transaction
) async throws {
    try await NoticeStore(sql: tx).insert(audiences.map { Notice.caused(by: envelope, kind: kind, for: $0) })
}
