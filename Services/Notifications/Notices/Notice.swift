import JSON
import Messaging
import Postgres
import Primitives

enum NoticeKind {}
typealias NoticeID = ID<NoticeKind>

/// That something happened which somebody should know.
///
/// It carries the id of its subject and nothing else: who may read the subject is the subject's owner to decide.
struct Notice: Equatable, Sendable {
    /// Who should know.
    enum Audience: Equatable, Sendable {
        case role(String)
        /// A patient, and those who act for them.
        case patient(PatientID)
        case account(AccountID)
        /// A practitioner, as what is booked names one.
        case provider(ProviderID)
    }

    let id: NoticeID
    let kind: String
    let subject: String
    let audience: Audience
    let at: Timestamp
    var readAt: Timestamp?

    /// The notice that one fact causes for one audience.
    static func caused(by envelope: Envelope, kind: String, for audience: Audience) -> (notice: Notice, event: EventID) {
        (
            Notice(id: NoticeID(), kind: kind, subject: envelope.subject, audience: audience, at: envelope.occurredAt),
            envelope.id
        )
    }
}

extension Notice {
    init(row: inout Row) throws {
        id = try row.next()
        kind = try row.next()
        subject = try row.next()
        let role: String? = try row.next()
        let patient: PatientID? = try row.next()
        let account: AccountID? = try row.next()
        let provider: ProviderID? = try row.next()
        if let role {
            audience = .role(role)
        } else if let patient {
            audience = .patient(patient)
        } else if let account {
            audience = .account(account)
        } else if let provider {
            audience = .provider(provider)
        } else {
            throw PostgresError(.decoding, message: "notice without an audience")
        }
        at = try row.next()
        readAt = try row.next()
    }
}
