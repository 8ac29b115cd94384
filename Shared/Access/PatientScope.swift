import Primitives

/// Whose records a query may touch, and why: a store that holds something about patients cannot be made without one.
///
/// It is made from a verified principal under a route's permission and nothing a client sends, so an identifier that somebody guessed finds no
/// row. Row-level security still holds when a store forgets its clause; this holds within a tenant.
package struct PatientScope: Sendable {
    /// Which patients: the caller's roles decide, each service knows what they mean for its own tables.
    package enum Patients: Equatable, Sendable {
        /// Everybody of the tenant: desks, tills and what the system itself does.
        case everyone
        /// A patient's own record, and the records of those a proxy acts for.
        case only([PatientID])
        /// The charts a clinician has to do with, or may by the tenant's policy.
        case charts
        /// Those who oversee: every chart of the tenant that is not restricted.
        case unrestricted
    }

    package let tenant: TenantID
    package let account: AccountID?
    package let location: LocationID?
    /// Nurses work for a whole site, doctors for their patients.
    package let isBySite: Bool
    package let patients: Patients
    /// An application that is not the suite's own reads, for staff or for itself: only of people who agreed to sharing.
    package let isShared: Bool
    package let purpose: Purpose
    /// Where what was read is noted; nil where nobody reads, such as in an import.
    package let trail: ReadTrail?

    /// What time or an operator causes.
    package static func system(_ tenant: TenantID) -> PatientScope {
        PatientScope(
            tenant: tenant, account: nil, location: nil, isBySite: false, patients: .everyone, isShared: false, purpose: .operations,
            trail: nil)
    }
}

extension Principal {
    /// The records this person may act for: their own, and those of whom they act for.
    package var ownPatients: [PatientID] { (patient.map { [$0] } ?? []) + actsFor }

    /// For who a patient is and how to reach them: what every desk needs.
    package var identityScope: PatientScope {
        if isOnlyPatient { return scope(.only(ownPatients)) }
        if !acting.isDisjoint(with: [.doctor, .nurse]) { return scope(.charts) }
        if has(.admin) { return scope(.unrestricted) }
        return scope(.everyone)
    }

    /// For what was found, decided and prescribed.
    package var chartScope: PatientScope {
        if isOnlyPatient { return scope(.only(ownPatients)) }
        if !acting.isDisjoint(with: [.doctor, .nurse]) { return scope(.charts) }
        return scope(acting.isDisjoint(with: [.admin, .auditor]) ? .only([]) : .unrestricted)
    }

    /// For the work of a desk, a till or a counter, where a patient's own account sees its own.
    package var deskScope: PatientScope { scope(isOnlyPatient ? .only(ownPatients) : .everyone) }

    /// For what is booked: desks arrange it for everybody, clinicians see what they and their site have to do with.
    package var bookingScope: PatientScope {
        if isOnlyPatient { return scope(.only(ownPatients)) }
        if !acting.isDisjoint(with: [.reception, .admin]) { return scope(.everyone) }
        return scope(acting.isDisjoint(with: [.doctor, .nurse]) ? .only([]) : .charts)
    }

    /// For cards between services: ids and states, whoever's application asks.
    package var cardScope: PatientScope { scope(isOnlyPatient ? .only(ownPatients) : .everyone, isShared: false) }

    private func scope(_ patients: PatientScope.Patients, isShared: Bool? = nil) -> PatientScope {
        PatientScope(
            tenant: tenant, account: account, location: location, isBySite: has(.nurse) && !has(.doctor),
            patients: patients, isShared: isShared ?? (grant.map { !$0.isOwn } == true && !isOnlyPatient), purpose: purpose, trail: trail)
    }
}
