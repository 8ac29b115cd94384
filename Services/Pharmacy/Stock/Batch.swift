import Primitives

/// One lot on the shelf: whether it may be handed out, and when it must not be any more.
struct Batch: Equatable, Sendable {
    let id: BatchID
    let medicine: MedicineID
    let lotNumber: String
    /// The last day on which it may be handed out.
    let expiry: LocalDate
    let receivedAt: Timestamp
    let supplier: String?
    let unitCost: Money?
    var onHand: Int
    var isQuarantined: Bool
    /// Why, while it is set aside.
    var quarantineReason: String?
    var version: Int

    /// Neither expired on that day at the clinic nor set aside.
    func isUsable(on today: LocalDate) -> Bool { !isQuarantined && expiry >= today }

    /// The last usable day from a full date, or from the month that many packs print: `2026-11` lasts to its end.
    static func expiry(_ text: String) -> LocalDate? {
        if let date = LocalDate(text) { return date }
        guard text.utf8.count == 7, let first = LocalDate(text + "-01") else { return nil }
        return first.adding(days: LocalDate.length(ofMonth: first.month, year: first.year) - 1)
    }
}

enum StockError: Error, Equatable {
    case batchExists
    case batchExpired
    /// Fewer usable units than asked for; nothing was changed.
    case insufficient
    /// More than a shelf can hold: a typing mistake.
    case outOfRange
}
