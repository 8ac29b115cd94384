import JSON
import Postgres
import Primitives

/// Why and by how much a batch changed: written once, never altered.
struct Movement: Equatable, Sendable {
    enum Kind: String, Sendable, SQLBindable, SQLReadable, JSONReadable, JSONWritable {
        case received = "IN"
        case handedOut = "OUT"
        case corrected = "ADJUSTMENT"
    }

    let id: MovementID
    let batch: BatchID
    let medicine: MedicineID
    let kind: Kind
    let delta: Int
    /// What the batch held afterwards; known once it is written.
    var onHand: Int
    let reason: String?
    let dispensing: DispensingID?
    let actor: AccountID
    let at: Timestamp
    let localDate: LocalDate
}

extension Movement {
    init(row: inout Row) throws {
        id = try row.next()
        batch = try row.next()
        medicine = try row.next()
        kind = try row.next()
        delta = try row.next()
        onHand = try row.next()
        reason = try row.next()
        dispensing = try row.next()
        actor = try row.next()
        at = try row.next()
        localDate = try row.next()
    }
}
