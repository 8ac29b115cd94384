import Primitives

/// Who asks: made only from a verified token, so its tenant cannot be chosen by a client.
package struct Principal: Sendable {
    package let account: AccountID
    package let tenant: TenantID
    package let roles: Set<Role>
    /// The session (refresh family) the token belongs to.
    package let session: ID<SessionKind>
    /// The site the account works at; what a request may leave out.
    package let location: LocationID
    /// IANA zone of that site: the clinic's "today" is a date in this zone.
    package let zone: String
    package let currency: Currency
    /// The patient record of a patient account.
    package let patient: PatientID?
    /// What a client was given on this account's behalf; nil for the suite's own clients, who act as the person.
    package let grant: Grant?
    /// The token itself, to ask another service on this person's behalf. Never logged.
    package let bearer: String
    /// When this person last proved who they are; nil when the token does not say.
    package let authenticatedAt: Timestamp?
    package let assurance: Assurance
    /// The patients this person acts for, beside their own record: a parent for a child.
    package let actsFor: [PatientID]
    /// The roles this answer rests on. Whoever works here and is a patient too reads others' records by the role
    /// that may read them, never because a patient may read their own.
    package private(set) var acting: Set<Role>
    /// What the route that is being answered is for; the pipeline sets it, with the trail of what is read.
    package private(set) var purpose: Purpose = .operations
    package private(set) var trail: ReadTrail?

    package init(
        account: AccountID, tenant: TenantID, roles: Set<Role>, session: ID<SessionKind>, location: LocationID,
        zone: String, currency: Currency, patient: PatientID?, bearer: String,
        authenticatedAt: Timestamp? = nil, assurance: Assurance = .single, grant: Grant? = nil,
        actsFor: [PatientID] = []
    ) {
        self.account = account
        self.tenant = tenant
        self.roles = roles
        acting = roles
        self.session = session
        self.location = location
        self.zone = zone
        self.currency = currency
        self.patient = patient
        self.bearer = bearer
        self.authenticatedAt = authenticatedAt
        self.assurance = assurance
        self.grant = grant
        self.actsFor = actsFor
    }

    package func has(_ role: Role) -> Bool { acting.contains(role) }
    package func may(_ permission: Permission) -> Bool {
        guard !acting.isDisjoint(with: permission.roles) else { return false }
        guard let grant else { return true }
        return grant.allows(permission)
    }
    /// Whether the caller is asked as a patient, or as somebody who acts for one: then every query is bound to those
    /// records.
    package var isOnlyPatient: Bool { acting.isSubset(of: Self.ofPatients) }
    /// The same person answering a route with this permission, leaving a trail.
    package func acting(under permission: Permission, leaving trail: ReadTrail) -> Principal {
        var copy = self
        copy.acting = acting(under: permission)
        copy.purpose = copy.isOnlyPatient ? .patientRequest : permission.purpose
        copy.trail = trail
        return copy
    }

    private static let ofPatients: Set<Role> = [.patient, .proxy]

    private func acting(under permission: Permission) -> Set<Role> {
        let granting = roles.intersection(permission.roles)
        // What is anybody's own, such as a password, is no record of a patient.
        if granting.isEmpty || permission == .signedIn || permission == .anyone { return roles }
        return granting.isSubset(of: Self.ofPatients)
            ? roles.intersection(Self.ofPatients) : roles.subtracting(Self.ofPatients)
    }

    /// The most telling role, for the audit trail.
    package var mainRole: Role { Role.allCases.reversed().first { acting.contains($0) } ?? .service }
}
