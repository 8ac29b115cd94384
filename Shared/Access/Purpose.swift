import JSON

/// Why somebody looks at a patient's record: the codes of HL7's PurposeOfUse. It follows from the route, never from
/// what a client says.
package enum Purpose: String, CaseIterable, Sendable, JSONReadable, JSONWritable {
    case treatment = "TREAT"
    /// In spite of a restriction, for a while and with a reason that somebody else will review.
    case breakGlass = "BTG"
    case payment = "HPAYMT"
    case operations = "HOPERAT"
    /// The person's own request, or that of somebody who acts for them.
    case patientRequest = "PATRQT"
}

extension Permission {
    /// What a route with this permission is for.
    package var purpose: Purpose {
        switch self {
        case .readPatients, .registerPatients, .changePatients, .bookAppointments, .readAppointments,
            .changeAppointments, .cancelAppointments, .answerRequests, .checkIn, .readQueue, .callNext, .changeTokens,
            .conductVisits, .recordVisits, .readVisits, .completeVisits, .prescribe, .readPrescriptions, .dispense, .readDispensing, .breakGlass,
            .referPatients:
            .treatment
        case .invoice, .readInvoices, .takePayment, .refund: .payment
        default: .operations
        }
    }

    /// Whether its routes are about one patient: then "there is no such" may hide a refusal, and is recorded. A new
    /// permission must say so: there is no default.
    package var concernsPatients: Bool {
        switch self {
        case .grantProxies, .registerPatients, .readPatients, .changePatients, .inactivatePatients, .exportPatients,
            .erasePatients, .manageConsents, .filePrivacyRequests, .readPrivacyRequests, .answerPrivacyRequests,
            .bookAppointments, .readAppointments, .changeAppointments,
            .cancelAppointments, .answerRequests, .rateAppointments, .checkIn, .readQueue,
            .callNext, .changeTokens, .conductVisits, .recordVisits, .readVisits, .completeVisits,
            .prescribe, .readPrescriptions, .breakGlass, .reviewBreakGlass, .referPatients, .restrictCharts,
            .readAccessLog, .invoice, .readInvoices, .takePayment, .refund, .dispense, .readDispensing,
            .readVisitHistory:
            true
        case .anyone, .signedIn, .manageUsers, .manageTenants, .manageClients, .registerSelf, .readProviders,
            .openSlots, .readSlots, .blockSlots, .readRatings, .setPresence, .showDisplay, .readChartPolicy, .manageChartPolicy,
            .readMedicines, .manageMedicines, .manageStock, .readStock, .readAudit, .readDailySummary,
            .readStockMovements, .readNotifications, .readCards:
            false
        }
    }

    /// What a body that names a record is answered when the record is not the caller's to know of.
    package static let hiding: Set = ["patient_unknown", "visit_unknown", "prescription_unknown", "appointment_unknown"]
}
