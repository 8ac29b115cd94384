import JSON

/// What a person is to the clinic (glossary; T20 of features.md).
package enum Role: String, CaseIterable, Sendable, JSONReadable, JSONWritable {
    case patient, proxy, doctor, nurse, reception, cashier, pharmacist, lab, admin, auditor, service
    /// A waiting-room screen: it sees numbers and rooms, never a name.
    case display
}

/// What a route demands. The map to roles is the one place that says who may do what.
package enum Permission: String, CaseIterable, Sendable {
    /// No token needed.
    case anyone
    /// Any signed-in account.
    case signedIn
    case manageUsers
    case manageTenants
    case manageClients
    /// Letting somebody act for a patient: the desk for anybody, a patient for themselves.
    case grantProxies
    /// One's own record, after signing up.
    case registerSelf
    case registerPatients, readPatients, changePatients, inactivatePatients
    /// Everything about one person, for that person.
    case exportPatients
    case erasePatients, manageConsents
    /// To ask about a record (GDPR 15 to 18), to see what was asked of one's own, to answer.
    case filePrivacyRequests, readPrivacyRequests, answerPrivacyRequests
    case readProviders
    case openSlots, readSlots, blockSlots
    case bookAppointments, readAppointments, changeAppointments, cancelAppointments, answerRequests
    /// What patients say of appointments that are over; whoever it is about reads it, without names.
    case rateAppointments, readRatings
    case checkIn, readQueue, callNext, changeTokens, setPresence, showDisplay
    case conductVisits, recordVisits, readVisits, completeVisits
    case prescribe, readPrescriptions
    /// To open a chart that one has nothing to do with; to look at who did; to hand a patient on; to lock a chart.
    case breakGlass, reviewBreakGlass, referPatients, restrictCharts, readChartPolicy, manageChartPolicy
    /// Who opened a patient's record, and why.
    case readAccessLog
    case invoice, readInvoices, takePayment, refund
    case readMedicines, manageMedicines, manageStock, readStock
    case dispense, readDispensing
    case readAudit, readDailySummary, readVisitHistory, readStockMovements
    case readNotifications
    /// The copies services keep of each other's facts: ids and states, on a path the gateway does not route.
    case readCards

    package var roles: Set<Role> {
        switch self {
        case .anyone, .signedIn: Set(Role.allCases)
        case .manageUsers, .manageTenants, .manageClients: [.admin]
        case .grantProxies: [.reception, .admin, .patient]
        case .registerSelf: [.patient]
        case .registerPatients, .changePatients: [.reception, .admin]
        case .inactivatePatients: [.reception, .admin]
        case .readPatients: Self.staff.union([.patient, .proxy])  // these two: their own records only, by scope
        case .exportPatients: [.admin, .patient, .proxy]  // these two: their own records only, checked by scope
        case .erasePatients: [.admin]
        case .filePrivacyRequests: [.patient, .proxy, .reception, .admin]  // the first two: about their own records only
        case .readPrivacyRequests: [.patient, .proxy, .admin]
        case .answerPrivacyRequests: [.admin]
        case .manageConsents: [.reception, .doctor, .nurse, .admin, .patient, .proxy]
        case .readProviders, .readSlots: Set(Role.allCases).subtracting([.display])
        case .openSlots, .blockSlots: [.doctor, .admin]
        case .bookAppointments, .changeAppointments: [.reception, .patient, .proxy, .admin]
        case .cancelAppointments: [.reception, .doctor, .patient, .proxy, .admin]  // a doctor: the own, with a reason
        case .answerRequests: [.reception, .doctor, .admin]
        case .rateAppointments: [.patient, .proxy]
        case .readRatings: [.doctor, .admin]  // a doctor: the own
        case .readAppointments: [.reception, .doctor, .nurse, .patient, .proxy, .admin]
        case .checkIn: [.reception, .admin]
        case .readQueue: Self.staff
        case .callNext: [.doctor]
        case .changeTokens: [.reception, .doctor, .admin]
        case .setPresence: [.doctor, .reception, .admin]
        case .showDisplay: Self.staff.union([.display])
        case .conductVisits, .recordVisits: [.doctor, .nurse]
        case .readVisits: [.doctor, .nurse, .admin, .patient, .proxy]
        case .completeVisits, .prescribe: [.doctor]
        case .readPrescriptions: [.doctor, .nurse, .pharmacist, .patient, .proxy]
        case .breakGlass: [.doctor, .nurse, .admin]
        case .reviewBreakGlass: [.admin, .auditor]
        case .referPatients: [.doctor, .admin]
        case .restrictCharts: [.doctor, .admin]
        case .readChartPolicy: Self.staff
        case .manageChartPolicy: [.admin]
        case .readAccessLog: [.patient, .proxy, .admin, .auditor]
        case .invoice, .takePayment: [.reception, .cashier, .admin]
        case .readInvoices: [.reception, .cashier, .pharmacist, .admin, .patient, .proxy]
        case .refund: [.reception, .cashier, .admin]
        case .readMedicines: Self.staff
        case .manageMedicines, .manageStock: [.pharmacist, .admin]
        case .readStock: [.pharmacist, .admin]
        case .dispense: [.pharmacist]
        case .readDispensing: [.pharmacist, .admin]
        case .readAudit: [.admin, .auditor]
        case .readDailySummary: [.admin, .auditor]
        case .readVisitHistory: [.admin, .doctor, .auditor]
        case .readStockMovements: [.admin, .pharmacist, .auditor]
        case .readNotifications: Set(Role.allCases).subtracting([.display, .service])
        case .readCards: Set(Role.allCases).subtracting([.display])  // a patient or proxy: of the own records only, by scope
        }
    }

    package static let staff: Set<Role> = [.doctor, .nurse, .reception, .cashier, .pharmacist, .lab, .admin, .auditor]
}
