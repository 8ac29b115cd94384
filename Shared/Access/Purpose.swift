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
            .changeAppointments, .checkIn, .readQueue, .callNext, .changeTokens, .conductVisits, .recordVisits,
            .readVisits, .completeVisits, .prescribe, .readPrescriptions, .dispense, .readDispensing, .breakGlass,
            .referPatients:
            .treatment
        case .invoice, .readInvoices, .takePayment, .refund: .payment
        default: .operations
        }
    }

    /// Whether its routes answer with what is known about one patient: then a 404 may hide a refusal, and is recorded.
    package var concernsPatients: Bool {
        switch self {
        case .readPatients, .changePatients, .inactivatePatients, .readAppointments, .changeAppointments,
            .conductVisits, .recordVisits, .readVisits, .completeVisits, .prescribe, .readPrescriptions,
            .readDispensing, .readInvoices, .breakGlass, .referPatients, .restrictCharts, .readAccessLog:
            true
        default: false
        }
    }
}
