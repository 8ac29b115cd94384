import Access
import JSON
import Primitives

/// That one person may act for one patient: a parent for a child, a daughter for her father.
///
/// Every rule about one is in this file. It performs no I/O and reads no clock.
struct ProxyGrant: Equatable, Sendable {
    enum Relation: String, CaseIterable, Sendable, JSONReadable { case parent, guardian, spouse, child, carer, other }
    enum Proof: String, CaseIterable, Sendable, JSONReadable {
        case patientConsent = "patient_consent"
        case birthCertificate = "birth_certificate"
        case courtOrder = "court_order"
        case powerOfAttorney = "power_of_attorney"
        case identitySeen = "identity_seen"
    }

    let id: ID<ProxyGrant>
    /// Who may act.
    let account: AccountID
    /// For whom.
    let patient: PatientID
    let relation: Relation
    let proof: Proof
    let from: LocalDate
    let until: LocalDate?
    let grantedBy: AccountID
    let grantedAt: Timestamp
    var revokedAt: Timestamp?

    /// Whose accounts may have one.
    static let holders: Set<Role> = [.proxy, .patient]

    /// `asPatient`: the patient says so themselves, which is the proof.
    static func grant(
        to account: AccountID, for patient: PatientID, as relation: Relation, proof: Proof, from: LocalDate,
        until: LocalDate?, by granter: AccountID, asPatient: Bool, at now: Timestamp
    ) throws(ProxyError) -> ProxyGrant {
        guard granter != account else { throw .toOneself }
        guard until.map({ $0 >= from }) ?? true else { throw .endsBeforeItBegins }
        if Self.isOfAChild(relation, proof) {
            guard let until else { throw .endMissing }
            guard until <= from.adding(days: Self.longestOfAChild) else { throw .endTooLate }
        }
        guard !asPatient || proof == .patientConsent else { throw .proofOfTheDesk }
        return ProxyGrant(
            id: ID(), account: account, patient: patient, relation: relation, proof: proof, from: from, until: until,
            grantedBy: granter, grantedAt: now)
    }

    /// Whoever acts by being a parent, by a birth certificate or by what a court said does so until the patient comes of
    /// age or is well again, and nobody here would notice.
    static func isOfAChild(_ relation: Relation, _ proof: Proof) -> Bool {
        relation == .parent || relation == .guardian || proof == .birthCertificate
    }

    /// Eighteen years, five of them leap years. Nobody here knows when the patient was born, but whoever was born today is of
    /// age by then nearly everywhere; where it is later, the grant is given again.
    static let longestOfAChild = 6_575

    func holds(on day: LocalDate) -> Bool { revokedAt == nil && from <= day && (until.map { day <= $0 } ?? true) }

    var audited: JSONObject {
        JSONObject([
            ("accountId", .string(account.description)), ("patientId", .string(patient.description)),
            ("relation", .string(relation.rawValue)), ("proof", .string(proof.rawValue)),
        ])
    }
}

enum ProxyError: Error, Equatable {
    case toOneself
    case endsBeforeItBegins
    case endMissing
    case endTooLate
    case proofOfTheDesk
    case grantedAlready
    case notAProxy
    case tooMany
}
