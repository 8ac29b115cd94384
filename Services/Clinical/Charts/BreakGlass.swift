import Contracts
import JSON
import Loop
import Messaging
import Postgres
import Primitives

typealias GlassID = ID<GlassGrant>

/// That somebody opened a chart that was closed to them, for one patient and for a while, or unlocked it for everybody:
/// with a reason that somebody else will judge. What it opens it closes by itself.
struct BreakGlass: Sendable {
    enum Kind: String, CaseIterable, Sendable, JSONReadable, JSONWritable, SQLReadable, SQLBindable {
        case opened
        /// The chart of somebody whom the one who unlocked it does not treat. It lets nobody in by itself.
        case unlocked
    }

    enum Outcome: String, CaseIterable, Sendable, JSONReadable, JSONWritable, SQLBindable {
        case justified, unjustified
        case followUp = "follow_up"
    }

    struct Review: Sendable {
        let at: Timestamp
        let by: AccountID
        let outcome: Outcome
        let note: String?
    }

    static let longestMinutes: Int64 = 60

    let id: GlassID
    let kind: Kind
    let patient: PatientID
    let account: AccountID
    let location: LocationID
    let reason: String
    let grantedAt: Timestamp
    let expiresAt: Timestamp
    private(set) var review: Review?

    init(
        id: GlassID, kind: Kind = .opened, patient: PatientID, account: AccountID, location: LocationID, reason: String,
        grantedAt: Timestamp, expiresAt: Timestamp, review: Review? = nil
    ) {
        self.id = id
        self.kind = kind
        self.patient = patient
        self.account = account
        self.location = location
        self.reason = reason
        self.grantedAt = grantedAt
        self.expiresAt = expiresAt
        self.review = review
    }

    /// When nobody has looked at it until then, it is everybody's business.
    func isOverdue(at now: Timestamp, after grace: Duration) -> Bool {
        review == nil && now > grantedAt.adding(seconds: grace.components.seconds)
    }

    mutating func judge(
        _ outcome: Outcome, note: String?, by reviewer: AccountID, at now: Timestamp
    ) throws(BreakGlassError) {
        guard reviewer != account else { throw .own }
        guard review == nil else { throw .reviewed }
        review = Review(at: now, by: reviewer, outcome: outcome, note: note)
    }

    var broken: GlassBroken {
        GlassBroken(
            grantID: id, patientID: patient, accountID: account, locationID: location,
            expiresAt: expiresAt)
    }
}

enum BreakGlassError: Error, Equatable {
    case own
    case reviewed
    /// The chart is not closed to this caller, so there is no glass to break.
    case notNeeded
}
