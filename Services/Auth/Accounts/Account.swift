import Access
import Contracts
import Primitives

/// Somebody who may sign in, and as what.
///
/// Every rule about an account is in this file. It performs no I/O and reads no clock.
struct Account: Equatable, Sendable {
    let id: AccountID
    private(set) var name: String
    /// What they sign in with: an e-mail address or a phone number.
    private(set) var email: String
    private(set) var roles: Set<Role>
    private(set) var location: LocationID
    let patient: PatientID?
    private(set) var isActive: Bool
    /// Tokens issued before are void.
    private(set) var validFrom: Timestamp
    let version: Int
    let createdAt: Timestamp

    /// What an administrator may hand out; `service` is for machines and comes with their own credentials.
    static let assignable = Role.allCases.filter { $0 != .service }

    /// Made from a row; `create` makes new ones.
    init(
        id: AccountID, name: String, email: String, roles: Set<Role>, location: LocationID, patient: PatientID?,
        isActive: Bool, validFrom: Timestamp, version: Int, createdAt: Timestamp
    ) {
        self.id = id
        self.name = name
        self.email = email
        self.roles = roles
        self.location = location
        self.patient = patient
        self.isActive = isActive
        self.validFrom = validFrom
        self.version = version
        self.createdAt = createdAt
    }

    static func create(
        name: String, email: EmailAddress, roles: Set<Role>, location: LocationID, patient: PatientID?, at now: Timestamp
    ) throws(AccountError) -> Account {
        try create(name: name, address: email.text, roles: roles, location: location, patient: patient, at: now)
    }

    /// `address`: what the person signs in with, an e-mail address or a phone number.
    static func create(
        name: String, address: String, roles: Set<Role>, location: LocationID, patient: PatientID?, at now: Timestamp
    ) throws(AccountError) -> Account {
        try check(roles, patient)
        if patient != nil && !roles.contains(.patient) { throw .patientRoleRequired }
        return Account(
            id: AccountID(), name: name, email: address, roles: roles, location: location, patient: patient,
            isActive: true, validFrom: now, version: 1, createdAt: now)
    }

    /// What a change asks for; nil leaves as it is.
    struct Change: Equatable, Sendable {
        var name: String?
        var roles: Set<Role>?
        var location: LocationID?
        var isActive: Bool?
        var contact: Contact?

        /// Only these can leave a tenant without an administrator.
        var touchesAccess: Bool { roles != nil || isActive != nil }
    }

    /// What a change came to.
    struct Outcome: Equatable, Sendable {
        var isRenamed = false
        var hasNewDuties = false
        var isDeactivated = false
        var isReactivated = false
        /// Signs in with another address from now on; nothing ends.
        var isReaddressed = false
        /// What the account could do until now must end at once.
        var voidsTokens: Bool { hasNewDuties || isDeactivated }
    }

    /// `isOnlyAdmin`: no other active account of the tenant is an administrator.
    mutating func apply(_ change: Change, isOnlyAdmin: Bool, at now: Timestamp) throws(AccountError) -> Outcome {
        let wasAdmin = isActive && roles.contains(.admin)
        var outcome = Outcome()
        if let name = change.name, name != self.name {
            self.name = name
            outcome.isRenamed = true
        }
        if let contact = change.contact, contact.text != email {
            email = contact.text
            outcome.isReaddressed = true
        }
        if let roles = change.roles, roles != self.roles {
            try Self.check(roles, patient)
            self.roles = roles
            outcome.hasNewDuties = true
        }
        if let location = change.location, location != self.location {
            self.location = location
            outcome.hasNewDuties = true
        }
        if let isActive = change.isActive, isActive != self.isActive {
            self.isActive = isActive
            if isActive { outcome.isReactivated = true } else { outcome.isDeactivated = true }
        }
        if wasAdmin && isOnlyAdmin && !(isActive && roles.contains(.admin)) { throw .lastAdmin }
        if outcome.voidsTokens { validFrom = max(validFrom, now) }
        return outcome
    }

    private static func check(_ roles: Set<Role>, _ patient: PatientID?) throws(AccountError) {
        guard !roles.isEmpty, roles.isSubset(of: assignable) else { throw .roleNotAssignable }
        if roles.contains(.patient) && patient == nil { throw .patientRequired }
    }
}

enum AccountError: Error, Equatable {
    case emailInvalid
    case emailTaken
    case roleNotAssignable
    case patientRequired
    case patientRoleRequired
    case patientUnknown
    case locationUnknown
    case lastAdmin
    case ownRoles
    case ownContact
    case ownPassword
    case inactive
    case erased
}

extension Account {
    /// The words events use.
    var roleNames: [String] { Role.allCases.filter { roles.contains($0) }.map(\.rawValue) }
    /// A doctor's name is published; nobody else's leaves this service.
    var professionalName: String? { roles.contains(.doctor) ? name : nil }
}

extension AccountCreated {
    init(_ account: Account, zone: String) {
        self.init(
            accountID: account.id, roles: account.roleNames, locationID: account.location, zone: zone,
            professionalName: account.professionalName, patientID: account.patient)
    }
}

extension AccountRolesChanged {
    init(_ account: Account, zone: String) {
        self.init(
            accountID: account.id, roles: account.roleNames, locationID: account.location, zone: zone,
            professionalName: account.professionalName, validFrom: account.validFrom)
    }
}
