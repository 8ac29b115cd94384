import Contracts
import JSON
import Messaging
import Postgres
import Primitives

/// One patient's place in one practitioner's queue today.
///
/// Every rule about a token is in this file: its number, its place, and the state diagram. It performs no I/O
/// and reads no clock.
struct Token: Equatable, Sendable {
    enum Status: String, Sendable, CaseIterable, SQLReadable, SQLBindable {
        case waiting = "WAITING"
        case withDoctor = "WITH_DOCTOR"
        case completed = "COMPLETED"
        case skipped = "SKIPPED"
        case left = "LEFT"

        /// The state diagram, whole.
        var next: Set<Status> {
            switch self {
            case .waiting: [.withDoctor, .skipped, .left]
            case .withDoctor: [.completed, .skipped, .waiting]
            case .skipped: [.waiting, .left]
            case .completed, .left: []
            }
        }
    }

    let id: TokenID
    let sequence: Int
    let patient: PatientID
    let provider: ProviderID
    let location: LocationID
    let appointment: AppointmentID?
    let localDate: LocalDate
    let priority: Priority
    let place: Place
    let issuedAt: Timestamp
    private(set) var status: Status
    private(set) var calledAt: Timestamp?
    private(set) var completedAt: Timestamp?
    /// Until the first call: what the figures of the day are made of.
    private(set) var waitedSeconds: Int?
    private(set) var version: Int

    /// What a screen and a voice say.
    var number: String { Self.number(sequence) }

    /// `A-001` to `A-999`, then `B-001`; after `Z-999` the letters double.
    static func number(_ sequence: Int) -> String {
        let (round, position) = max(sequence - 1, 0).quotientAndRemainder(dividingBy: 999)
        let letter = String(UnicodeScalar(UInt8(ascii: "A") + UInt8(round % 26)))
        let digits = String(String(1_001 + position).dropFirst())
        return String(repeating: letter, count: round / 26 + 1) + "-" + digits
    }

    // MARK: facts

    var issued: TokenIssued {
        TokenIssued(
            tokenID: id, number: number, patientID: patient, providerID: provider, locationID: location,
            appointmentID: appointment, localDate: localDate, priority: priority.rawValue, issuedAt: issuedAt)
    }

    func called(at now: Timestamp) -> TokenCalled {
        TokenCalled(
            tokenID: id, patientID: patient, providerID: provider, locationID: location, localDate: localDate,
            waitedSeconds: Int(max(now.seconds(since: issuedAt), 0)), calledAt: now)
    }

    // MARK: transitions

    /// Moves along the state diagram. Nil when it is already so; a way that is not drawn is refused.
    mutating func change(to wanted: Status, at now: Timestamp) throws(TokenError) -> (any Event)? {
        guard wanted != status else { return nil }
        guard status.next.contains(wanted) else { throw .transitionRefused(from: status, to: wanted) }
        status = wanted
        version += 1
        switch wanted {
        case .withDoctor:
            let fact = called(at: now)
            calledAt = now
            waitedSeconds = waitedSeconds ?? fact.waitedSeconds
            return fact
        case .waiting:
            // The place stays: whoever was called too early, or missed the call, does not start again.
            calledAt = nil
            return TokenReturned(tokenID: id, patientID: patient, providerID: provider, localDate: localDate)
        case .skipped:
            return TokenSkipped(tokenID: id, patientID: patient, providerID: provider, localDate: localDate)
        case .left:
            return TokenLeft(tokenID: id, patientID: patient, providerID: provider, localDate: localDate)
        case .completed:
            return complete(at: now)
        }
    }

    /// The visit behind it is signed, whatever the desk did with the token meanwhile. Nil when it is over already.
    mutating func finish(at now: Timestamp) -> TokenCompleted? {
        guard status != .completed, status != .left else { return nil }
        version += 1
        return complete(at: now)
    }

    private mutating func complete(at now: Timestamp) -> TokenCompleted {
        status = .completed
        completedAt = now
        return TokenCompleted(
            tokenID: id, patientID: patient, providerID: provider, locationID: location, appointmentID: appointment,
            localDate: localDate, completedAt: now)
    }
}

enum TokenError: Error, Equatable {
    case alreadyCheckedIn, alreadyWaiting, alreadyServing
    case notToday, appointmentRequested, appointmentCancelled, appointmentFulfilled
    case appointmentUnknown, patientUnknown, patientInactive, providerUnknown, providerInactive, providerUnlicensed, providerOffline, locationUnknown
    case transitionRefused(from: Token.Status, to: Token.Status)
}

extension Token {
    /// In the order of `TokenStore.columns`.
    init(row: inout Row) throws {
        id = try row.next()
        sequence = try row.next()
        patient = try row.next()
        provider = try row.next()
        location = try row.next()
        appointment = try row.next()
        localDate = try row.next()
        priority = try row.next()
        place = Place(
            urgency: try row.next(), lane: try row.next(), due: try row.next(), sequence: sequence)
        issuedAt = try row.next()
        status = try row.next()
        calledAt = try row.next()
        completedAt = try row.next()
        waitedSeconds = try row.next()
        version = try row.next()
    }
}
