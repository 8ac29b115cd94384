import Contracts
import JSON
import Messaging
import Postgres
import Primitives

typealias PrivacyRequestID = ID<PrivacyRequestKind>

/// What somebody asked about their own record, or about that of whom they act for, and what came of it.
///
/// Every rule about one is in this file. It performs no I/O and reads no clock.
struct PrivacyRequest: Sendable {
    /// GDPR 15, 16, 17 and 18.
    enum Kind: String, CaseIterable, Sendable, JSONReadable, JSONWritable, SQLReadable, SQLBindable {
        case access, correction, erasure, restriction
    }

    enum Outcome: String, CaseIterable, Sendable, JSONReadable, JSONWritable, SQLReadable, SQLBindable { case done, refused }

    struct Answer: Sendable {
        let outcome: Outcome
        let words: String?
        let by: AccountID
        let at: Timestamp
    }

    /// GDPR 12 (3): a month.
    static let daysToAnswer = 30
    /// When the administrators are told again.
    static let daysOfWarning = 7

    let id: PrivacyRequestID
    let patient: PatientID
    let kind: Kind
    /// Nil when the person was erased: then nobody can read them any more.
    let words: String?
    let filedBy: AccountID
    let filedAt: Timestamp
    let dueOn: LocalDate
    private(set) var answer: Answer?

    init(
        id: PrivacyRequestID, patient: PatientID, kind: Kind, words: String?, filedBy: AccountID, filedAt: Timestamp,
        dueOn: LocalDate, answer: Answer? = nil
    ) {
        self.id = id
        self.patient = patient
        self.kind = kind
        self.words = words
        self.filedBy = filedBy
        self.filedAt = filedAt
        self.dueOn = dueOn
        self.answer = answer
    }

    static func file(
        _ kind: Kind, _ words: String, about patient: PatientID, by account: AccountID, on today: LocalDate, at now: Timestamp
    ) -> (PrivacyRequest, PrivacyRequestFiled) {
        let request = PrivacyRequest(
            id: PrivacyRequestID(), patient: patient, kind: kind, words: words, filedBy: account, filedAt: now,
            dueOn: today.adding(days: daysToAnswer))
        return (
            request,
            PrivacyRequestFiled(requestID: request.id, patientID: patient, kind: kind.rawValue, dueOn: request.dueOn)
        )
    }

    mutating func answer(
        _ outcome: Outcome, _ words: String?, by account: AccountID, at now: Timestamp
    ) throws(PrivacyRequestError) -> PrivacyRequestAnswered {
        guard answer == nil else { throw .answered }
        guard outcome != .refused || words != nil else { throw .unexplained }
        answer = Answer(outcome: outcome, words: words, by: account, at: now)
        return PrivacyRequestAnswered(requestID: id, patientID: patient, kind: kind.rawValue, outcome: outcome.rawValue)
    }

    /// On its last day it is not overdue yet.
    func isOverdue(on today: LocalDate) -> Bool { answer == nil && dueOn < today }
}

enum PrivacyRequestError: Error, Equatable {
    /// One of this kind waits already.
    case open
    case answered
    /// A refusal without a reason.
    case unexplained
    /// The person was erased: nothing more can be written for them to read.
    case erased
}
