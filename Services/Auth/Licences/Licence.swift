import Contracts
import JSON
import Primitives

/// A doctor's licence to practise on its way from being handed in to being verified.
///
/// Every rule about one is in this file. It performs no I/O and reads no clock.
struct Licence: Equatable, Sendable {
    enum Status: String, Sendable { case draft, submitted, verified, rejected }

    let account: AccountID
    private(set) var number: String
    private(set) var authority: String
    private(set) var validUntil: LocalDate
    private(set) var status: Status
    /// What the doctor must mend, when it was refused.
    private(set) var reason: String?
    private(set) var submittedAt: Timestamp?
    private(set) var decidedAt: Timestamp?
    private(set) var decidedBy: AccountID?
    /// The last day of the one that was verified, which stays good while another is looked at. Nil without one.
    private(set) var inForceUntil: LocalDate?
    /// When this submission was begun; nil for the first one. Older pages were shown for something else.
    private(set) var openedAt: Timestamp?
    /// What the administrator had before them who opened the account; empty when pages were handed in.
    private(set) var seen: Set<LicenceDocument.Kind>
    let version: Int

    static func draft(
        _ account: AccountID, number: String, authority: String, validUntil: LocalDate
    ) -> Licence {
        Licence(
            account: account, number: number, authority: authority, validUntil: validUntil, status: .draft, reason: nil,
            submittedAt: nil, decidedAt: nil, decidedBy: nil, inForceUntil: nil, openedAt: nil, seen: [], version: 0)
    }

    /// New particulars make it a draft again. What was verified stays in force until somebody has looked at the new
    /// ones, or a doctor who renews in time could not be booked meanwhile; pages shown for it do not count for them.
    mutating func rewrite(number: String, authority: String, validUntil: LocalDate, at now: Timestamp) {
        guard (number, authority, validUntil) != (self.number, self.authority, self.validUntil) else { return }
        if status != .draft { openedAt = now }
        self.number = number
        self.authority = authority
        self.validUntil = validUntil
        status = .draft
        forgetDecision()
    }

    /// Whether a page was shown for this submission.
    func counts(_ document: LicenceDocument) -> Bool { openedAt.map { document.uploadedAt >= $0 } ?? true }

    /// `kinds`: what documents there are that count.
    mutating func submit(with kinds: Set<LicenceDocument.Kind>, at now: Timestamp) throws(LicenceError) {
        guard status == .draft || status == .rejected else { throw .notOpen }
        guard kinds.isSuperset(of: LicenceDocument.Kind.allCases) else { throw .documentsMissing }
        status = .submitted
        forgetDecision()
        submittedAt = now
    }

    /// An administrator has looked at the documents.
    mutating func verify(by judge: AccountID, today: LocalDate, at now: Timestamp) throws(LicenceError) -> LicenceVerified {
        guard status == .submitted else { throw .notSubmitted }
        guard judge != account else { throw .ownLicence }
        guard validUntil >= today else { throw .expired }
        status = .verified
        decidedAt = now
        decidedBy = judge
        inForceUntil = validUntil
        return LicenceVerified(accountID: account, validUntil: validUntil)
    }

    /// Nil when a renewal is refused and what was verified before stays good; `withdrawing` takes that back, too.
    mutating func reject(
        by judge: AccountID, because reason: String, withdrawing: Bool, at now: Timestamp
    ) throws(LicenceError) -> LicenceWithdrawn? {
        // One that was verified by mistake, or withdrawn by the authority, can be refused later.
        let withdraws = status == .verified || inForceUntil == nil || withdrawing
        guard status == .submitted || status == .verified || (withdrawing && inForceUntil != nil) else { throw .notSubmitted }
        guard judge != account else { throw .ownLicence }
        status = .rejected
        decidedAt = now
        decidedBy = judge
        self.reason = reason
        guard withdraws else { return nil }
        inForceUntil = nil
        return LicenceWithdrawn(accountID: account)
    }

    private mutating func forgetDecision() {
        reason = nil
        decidedAt = nil
        decidedBy = nil
        seen = []
    }

    /// The licence of a doctor whose papers an administrator has before them while opening the account: the same two
    /// that the doctor would hand in, and the administrator answers for having seen them.
    static func attested(
        _ account: AccountID, number: String, authority: String, validUntil: LocalDate, seen: Set<LicenceDocument.Kind>,
        by judge: AccountID, today: LocalDate, at now: Timestamp
    ) throws(LicenceError) -> Licence {
        guard seen.isSuperset(of: LicenceDocument.Kind.allCases) else { throw .papersNotSeen }
        guard validUntil >= today else { throw .expired }
        guard judge != account else { throw .ownLicence }
        return Licence(
            account: account, number: number, authority: authority, validUntil: validUntil, status: .verified, reason: nil,
            submittedAt: now, decidedAt: now, decidedBy: judge, inForceUntil: validUntil, openedAt: nil, seen: seen, version: 0)
    }
}

extension Licence {
    init(
        account: AccountID, details: JSONObject, validUntil: LocalDate, status: Status, submittedAt: Timestamp?,
        decidedAt: Timestamp?, decidedBy: AccountID?, inForceUntil: LocalDate?, openedAt: Timestamp?,
        seen: Set<LicenceDocument.Kind>, version: Int
    ) throws {
        self.init(
            account: account, number: try details.required("number"), authority: try details.required("authority"),
            validUntil: validUntil, status: status, reason: try details.optional("reason"), submittedAt: submittedAt,
            decidedAt: decidedAt, decidedBy: decidedBy, inForceUntil: inForceUntil, openedAt: openedAt,
            seen: seen, version: version)
    }

    /// What rests sealed.
    var details: JSONObject {
        var details = JSONObject([("number", .string(number)), ("authority", .string(authority))])
        if let reason { details["reason"] = .string(reason) }
        return details
    }

    var audited: JSONObject {
        var audited = JSONObject([("status", .string(status.rawValue)), ("validUntil", .string("\(validUntil)"))])
        if !seen.isEmpty { audited["seen"] = .array(LicenceDocument.Kind.words(seen).map { .string($0) }) }
        return audited
    }
}

enum LicenceError: Error, Equatable {
    case notADoctor
    case notOpen
    case notSubmitted
    case documentsMissing
    case papersNotSeen
    case ownLicence
    case expired
    case tooManyDocuments
    case wrongMediaType
    case tooLarge
}

/// One page that was shown.
struct LicenceDocument: Sendable {
    enum Kind: String, CaseIterable, Sendable, JSONReadable {
        case licence, identity

        static func words(_ kinds: Set<Kind>) -> [String] { allCases.filter { kinds.contains($0) }.map(\.rawValue) }
    }

    static let longest = 524_288
    static let limitPerAccount = 10

    let id: ID<LicenceDocument>
    let kind: Kind
    let mediaType: String
    let size: Int
    let uploadedAt: Timestamp

    /// What the first bytes say it is; what the client calls it does not count.
    static func mediaType(of bytes: [UInt8]) -> String? {
        if bytes.starts(with: [UInt8]("%PDF-".utf8)) { return "application/pdf" }
        if bytes.starts(with: [0xff, 0xd8, 0xff]) { return "image/jpeg" }
        if bytes.starts(with: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]) { return "image/png" }
        return nil
    }
}
