import Postgres
import Primitives

/// A stretch of a practitioner's time that one patient can have.
struct Slot: Equatable, Sendable {
    enum Status: String, Sendable, CaseIterable, SQLReadable, SQLBindable { case free, booked, blocked }

    let id: SlotID
    let provider: ProviderID
    let location: LocationID
    let start: Timestamp
    let end: Timestamp
    let localDate: LocalDate
    private(set) var status: Status
    private(set) var blockReason: String?
    private(set) var version: Int

    /// Why nobody can book it now; nil when somebody can.
    func refusal(at now: Timestamp) -> AppointmentError? {
        switch status {
        case .booked: .slotTaken
        case .blocked where start > now: .slotBlocked
        case .free where start > now: nil
        case .free, .blocked: .slotInPast
        }
    }

    /// Takes the time out of booking. False when it already was, for the same reason.
    mutating func block(because reason: String?) throws(SlotError) -> Bool {
        guard status != .booked else { throw .booked }
        guard status != .blocked || blockReason != reason else { return false }
        status = .blocked
        blockReason = reason
        version += 1
        return true
    }

    /// Gives blocked time back. False when it is free already.
    mutating func unblock() throws(SlotError) -> Bool {
        guard status != .booked else { throw .booked }
        guard status == .blocked else { return false }
        status = .free
        blockReason = nil
        version += 1
        return true
    }
}

enum SlotError: Error, Equatable {
    case booked
}

extension Slot {
    init(row: inout Row) throws {
        id = try row.next()
        provider = try row.next()
        location = try row.next()
        start = try row.next()
        end = try row.next()
        localDate = try row.next()
        status = try row.next()
        blockReason = try row.next()
        version = try row.next()
    }
}
