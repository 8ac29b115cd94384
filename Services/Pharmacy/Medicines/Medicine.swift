import Primitives

/// One product of the catalogue: what it is, what it costs and when to order more.
///
/// Every rule about a medicine is in this file.
struct Medicine: Equatable, Sendable {
    let id: MedicineID
    var name: String
    var genericName: String?
    var form: String
    var strength: String?
    var atc: String?
    /// Of one dispensing unit, before tax.
    var unitPrice: Money
    var tax: Percent
    var reorderLevel: Int
    var packSize: Int?
    var isActive: Bool
    var version: Int

    /// Whether so few usable units must be announced. Nothing on the shelf is low whatever the level says.
    static func isLow(_ usable: Int, reorderLevel: Int) -> Bool { usable < max(1, reorderLevel) }

    /// Whether this change is the one that made it low: only the crossing is announced, not every sale after it.
    func ranLow(from before: Int, to after: Int) -> Bool {
        isActive && !Medicine.isLow(before, reorderLevel: reorderLevel)
            && Medicine.isLow(after, reorderLevel: reorderLevel)
    }
}

enum MedicineError: Error, Equatable {
    /// The clinic's till counts in one currency.
    case currencyMismatch
    /// Named by another resource, and the catalogue has no such medicine.
    case unknown
}
