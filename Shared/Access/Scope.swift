/// What a client may ask for on somebody's behalf (RFC 6749 3.3): each word opens some permissions of one service,
/// and only as far as the person's own roles go.
///
/// A permission that no scope names is never given away: changing one's own password, managing clients.
package enum Scope: String, CaseIterable, Sendable {
    // OpenID Connect Core 5.4 and 11.
    case openid, profile, email
    case offlineAccess = "offline_access"
    // The API, service by service.
    case usersManage = "users.manage"
    case schedulingRead = "scheduling.read"
    case schedulingWrite = "scheduling.write"
    case queueRead = "queue.read"
    case queueWrite = "queue.write"
    case clinicalRead = "clinical.read"
    case clinicalWrite = "clinical.write"
    case pharmacyRead = "pharmacy.read"
    case pharmacyWrite = "pharmacy.write"
    case billingRead = "billing.read"
    case billingWrite = "billing.write"
    case notificationsRead = "notifications.read"
    case reportingRead = "reporting.read"

    /// Whom a token with this scope is for. Nil: it adds no audience of its own.
    package var service: String? {
        switch self {
        case .offlineAccess: nil
        case .openid, .profile, .email, .usersManage: "auth"
        case .schedulingRead, .schedulingWrite: "scheduling"
        case .queueRead, .queueWrite: "queue"
        case .clinicalRead, .clinicalWrite: "clinical"
        case .pharmacyRead, .pharmacyWrite: "pharmacy"
        case .billingRead, .billingWrite: "billing"
        case .notificationsRead: "notifications"
        case .reportingRead: "reporting"
        }
    }

    package var permissions: Set<Permission> {
        switch self {
        case .openid, .profile, .email, .offlineAccess: []
        case .usersManage: [.manageUsers]
        case .schedulingRead: [.readProviders, .readSlots, .readAppointments, .readRatings]
        case .schedulingWrite: [
            .openSlots, .blockSlots, .bookAppointments, .changeAppointments, .cancelAppointments, .answerRequests, .rateAppointments,
        ]
        case .queueRead: [.readQueue, .showDisplay]
        case .queueWrite: [.checkIn, .callNext, .changeTokens, .setPresence]
        case .clinicalRead: [.readPatients, .readVisits, .readPrescriptions, .readVisitHistory]
        case .clinicalWrite:
            [
                .registerPatients, .changePatients, .inactivatePatients, .conductVisits, .recordVisits, .completeVisits,
                .prescribe,
            ]
        case .pharmacyRead: [.readMedicines, .readStock, .readDispensing, .readStockMovements]
        case .pharmacyWrite: [.manageMedicines, .manageStock, .dispense]
        case .billingRead: [.readInvoices]
        case .billingWrite: [.invoice, .takePayment, .refund]
        case .notificationsRead: [.readNotifications]
        case .reportingRead: [.readAudit, .readDailySummary, .readVisitHistory, .readStockMovements]
        }
    }

    /// One sentence for the person who is asked to agree.
    package var meaning: String {
        switch self {
        case .openid: "Know that it is you"
        case .profile: "See your name and your roles"
        case .email: "See your e-mail address or phone number"
        case .offlineAccess: "Stay connected when you are not there"
        case .usersManage: "Manage the clinic's accounts"
        case .schedulingRead: "See providers, slots and appointments"
        case .schedulingWrite: "Book and change appointments and slots"
        case .queueRead: "See the waiting room"
        case .queueWrite: "Check patients in and call them"
        case .clinicalRead: "Read patients, visits and prescriptions"
        case .clinicalWrite: "Register patients, record visits and prescribe"
        case .pharmacyRead: "See medicines and stock"
        case .pharmacyWrite: "Change stock and dispense medicines"
        case .billingRead: "See invoices"
        case .billingWrite: "Write invoices and take payments"
        case .notificationsRead: "See notifications"
        case .reportingRead: "Read reports and the audit trail"
        }
    }

    /// The words of a space-separated list, without those that we do not know.
    package static func list(_ text: String) -> Set<Scope> {
        Set(text.split(separator: " ").compactMap { Scope(rawValue: String($0)) })
    }

    /// In the order of declaration, so that equal sets have equal text.
    package static func text(_ scopes: Set<Scope>) -> String {
        allCases.filter { scopes.contains($0) }.map(\.rawValue).joined(separator: " ")
    }
}

/// What a token was given to a client for: which client, which scopes, which services. First-party tokens have none
/// and are bounded by the person's roles alone.
package struct Grant: Equatable, Sendable {
    /// The client's identifier, as it registered.
    package let client: String
    package let scopes: Set<Scope>
    /// The names of the services it is meant for.
    package let services: Set<String>
    package let permissions: Set<Permission>
    /// Whether it is an application of the clinic's own: one that need not ask people whether they agree. It sees of patients what
    /// its users see; anybody else's sees who agreed to sharing (`docs/decisions/0043-consents-that-bind.md`).
    package let isOwn: Bool

    package init(client: String, scopes: Set<Scope>, services: Set<String>, isOwn: Bool = false) {
        self.client = client
        self.isOwn = isOwn
        self.scopes = scopes
        self.services = services
        permissions = scopes.reduce(into: []) { $0.formUnion($1.permissions) }
    }

    /// Cards travel between services on behalf of whoever asked; they hold no more than ids and states, and the
    /// gateway does not route them.
    package func allows(_ permission: Permission) -> Bool {
        permission == .readCards || permissions.contains(permission)
    }

    /// RFC 8707: how a service is named in `resource` and `aud`.
    package static func resource(_ service: String) -> String { "urn:polyclinic:" + service }

    package static func service(_ resource: String) -> String? {
        let prefix = "urn:polyclinic:"
        guard resource.hasPrefix(prefix) else { return nil }
        let name = String(resource.dropFirst(prefix.count))
        return Scope.allCases.contains { $0.service == name } ? name : nil
    }
}
