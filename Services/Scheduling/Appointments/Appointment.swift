import Contracts
import JSON
import Messaging
import Postgres
import Primitives

/// One patient's claim on one practitioner's time.
///
/// Every rule about an appointment is in this file. It performs no I/O and reads no clock: callers pass the
/// time in. What a person asks for throws when refused; what an event reports returns nil when it is already so.
struct Appointment: Equatable, Sendable {
    enum Status: String, Sendable, CaseIterable, SQLReadable, SQLBindable {
        case requested, booked, arrived, fulfilled, cancelled, noshow, declined, expired
    }
    enum Modality: String, Sendable, CaseIterable, JSONReadable, SQLReadable, SQLBindable {
        case inPerson = "in_person"
        case telemedicine
    }
    enum Priority: String, Sendable, CaseIterable, JSONReadable, SQLReadable, SQLBindable {
        case routine, urgent, emergency
    }

    let id: AppointmentID
    private(set) var slot: SlotID
    private(set) var provider: ProviderID
    let patient: PatientID
    private(set) var location: LocationID
    private(set) var start: Timestamp
    private(set) var end: Timestamp
    private(set) var localDate: LocalDate
    private(set) var status: Status
    private(set) var modality: Modality
    private(set) var priority: Priority
    /// Why the patient comes, and why not after all: health data, so sealed. `AppointmentWords` opens them.
    private(set) var reason: SealedText?
    private(set) var cancelReason: SealedText?
    private(set) var token: TokenID?
    private(set) var visit: VisitID?
    private(set) var version: Int
    let bookedAt: Timestamp
    /// Until when a request waits for its answer.
    let answerBy: Timestamp?

    /// What a new one is: a booking, or a request that the practitioner answers.
    var made: any Event {
        guard status == .requested, let answerBy else { return booked }
        return AppointmentRequested(
            appointmentID: id, patientID: patient, providerID: provider, locationID: location, slotID: slot,
            start: start, end: end, localDate: localDate, modality: modality.rawValue, answerBy: answerBy)
    }

    /// The fact that a new appointment is.
    var booked: AppointmentBooked {
        AppointmentBooked(
            appointmentID: id, patientID: patient, providerID: provider, locationID: location, slotID: slot,
            start: start, end: end, localDate: localDate, modality: modality.rawValue, priority: priority.rawValue)
    }

    /// The practitioner, or the desk for them, takes the patient: from here on it is a booking like any other.
    mutating func accept(at now: Timestamp) throws(AppointmentError) -> AppointmentBooked {
        guard status == .requested else { throw .notRequested(status) }
        guard let answerBy, now < answerBy else { throw .requestExpired }
        status = .booked
        version += 1
        return booked
    }

    /// The practitioner, or the desk for them, does not; the time is free again.
    mutating func decline(because reason: SealedText?, by role: String) throws(AppointmentError) -> AppointmentRequestEnded {
        guard status == .requested else { throw .notRequested(status) }
        status = .declined
        cancelReason = reason
        version += 1
        return ended(by: role)
    }

    /// Nobody answered in time.
    mutating func expire(at now: Timestamp) -> AppointmentRequestEnded? {
        guard status == .requested, let answerBy, now >= answerBy else { return nil }
        status = .expired
        version += 1
        return ended(by: nil)
    }

    /// What a request that is none any more came to: `declined`, `expired`, or `cancelled` by who asked.
    private func ended(by role: String?) -> AppointmentRequestEnded {
        AppointmentRequestEnded(
            appointmentID: id, patientID: patient, providerID: provider, start: start, localDate: localDate,
            outcome: status.rawValue, endedBy: role)
    }

    /// Moves it to another slot.
    mutating func move(to slot: Slot, at now: Timestamp) throws(AppointmentError) -> AppointmentRescheduled {
        guard status == .booked else { throw .notReschedulable(status) }
        if let refusal = slot.refusal(at: now) { throw refusal }
        let previous = start
        let previousProvider = provider == slot.provider ? nil : provider
        self.slot = slot.id
        provider = slot.provider
        location = slot.location
        start = slot.start
        end = slot.end
        localDate = slot.localDate
        version += 1
        return AppointmentRescheduled(
            appointmentID: id, patientID: patient, providerID: provider, locationID: location, slotID: slot.id,
            start: start, end: end, localDate: localDate, previousStart: previous, modality: modality.rawValue,
            priority: priority.rawValue, previousProviderID: previousProvider)
    }

    /// Changes what was said at booking. Nothing outside depends on a reason, so no fact follows from it.
    mutating func describe(reason: SealedText?) throws(AppointmentError) {
        guard [.requested, .booked, .arrived].contains(status) else { throw .notReschedulable(status) }
        self.reason = reason
        version += 1
    }

    /// Cancels the visit, or takes the request back; the time is free again.
    mutating func cancel(because reason: SealedText?, by role: String) throws(AppointmentError) -> any Event {
        guard status == .booked || status == .requested else { throw .notCancellable(status) }
        let wasRequested = status == .requested
        status = .cancelled
        cancelReason = reason
        version += 1
        if wasRequested { return ended(by: role) }
        return AppointmentCancelled(
            appointmentID: id, patientID: patient, providerID: provider, start: start, localDate: localDate,
            cancelledBy: role)
    }

    /// The patient has a token. Coming late does not matter: who was written off has arrived after all.
    mutating func arrive(with token: TokenID) -> AppointmentArrived? {
        guard status == .booked || status == .noshow else { return nil }
        status = .arrived
        self.token = token
        version += 1
        return AppointmentArrived(appointmentID: id, patientID: patient, tokenID: token)
    }

    /// The visit is over. A token that completes says so without naming the visit; the fact is announced when
    /// the visit is known, once.
    mutating func fulfil(by visit: VisitID?) -> Fulfilment {
        guard ![.cancelled, .requested, .declined, .expired].contains(status), status != .fulfilled || (self.visit == nil && visit != nil) else {
            return .alreadySo
        }
        status = .fulfilled
        self.visit = visit
        version += 1
        guard let visit else { return .unnamed }
        return .announced(AppointmentFulfilled(appointmentID: id, patientID: patient, visitID: visit))
    }

    enum Fulfilment: Equatable {
        case alreadySo
        case unnamed
        case announced(AppointmentFulfilled)
    }
}

enum AppointmentError: Error, Equatable {
    case slotTaken, slotBlocked, slotInPast
    case patientBusy, patientUnknown, patientInactive
    /// By video, and the patient does not stand by having agreed to that.
    case consentMissing
    case notCancellable(Appointment.Status)
    case notReschedulable(Appointment.Status)
    case notRequested(Appointment.Status)
    case requestExpired
}

extension Appointment {
    init(row: inout Row) throws {
        id = try row.next()
        slot = try row.next()
        provider = try row.next()
        patient = try row.next()
        location = try row.next()
        start = try row.next()
        end = try row.next()
        localDate = try row.next()
        status = try row.next()
        modality = try row.next()
        priority = try row.next()
        reason = try row.next(as: Bytes?.self).map { SealedText($0.array) }
        cancelReason = try row.next(as: Bytes?.self).map { SealedText($0.array) }
        token = try row.next()
        visit = try row.next()
        version = try row.next()
        bookedAt = try row.next()
        answerBy = try row.next()
    }
}
