/// How much of a medicine leaves the shelf for a course of treatment.
///
/// Tablets are counted, liquids are measured, creams and inhalers are handed out by the pack: one formula for all
/// would bill a patient for fifteen bottles. Doses are integer thousandths, so half a tablet is exact.
struct DispenseQuantity: Equatable, Sendable {
    let quantity: Int
    /// What is counted: `tablet`, `ml`, `pack`.
    let unit: String

    enum Refusal: Error, Equatable {
        /// A dose in milligrams needs a strength to divide by; millilitres do not count tablets.
        case unsuitableUnit
        case outOfRange
    }

    /// Nothing a counter hands out at once is more than this.
    static let limit: Int64 = 100_000

    /// `dose` is thousandths of `doseUnit`; without a unit, of what the form is counted in.
    init(
        form: String, strength: String?, dose: Int64, doseUnit: String?, timesPerDay: Int64, days: Int64
    ) throws(Refusal) {
        guard (1...10_000_000).contains(dose), (1...24).contains(timesPerDay), (1...365).contains(days) else {
            throw .outOfRange
        }
        let form = DoseForm(form)
        let given = doseUnit.map { DoseUnit($0) } ?? .piece
        guard form.measure != .pack else {
            self.init(quantity: 1, unit: form.unit)
            return
        }
        // At most 8.76e10: far from overflow.
        let thousandths = dose * timesPerDay * days
        let ratio = try Self.ratio(from: given, to: form, strength: strength)
        let (scaled, overflow) = thousandths.multipliedReportingOverflow(by: ratio.multiply)
        guard !overflow else { throw .outOfRange }
        let (divisor, tooLarge) = ratio.divide.multipliedReportingOverflow(by: 1000)
        guard !tooLarge, divisor > 0 else { throw .outOfRange }
        let whole = scaled / divisor + (scaled % divisor == 0 ? 0 : 1)
        guard (1...Self.limit).contains(whole) else { throw .outOfRange }
        self.init(quantity: Int(whole), unit: form.unit)
    }

    private init(quantity: Int, unit: String) {
        self.quantity = quantity
        self.unit = unit
    }

    /// The fraction that turns a dose into pieces or millilitres.
    private static func ratio(
        from unit: DoseUnit, to form: DoseForm, strength: String?
    ) throws(Refusal) -> (multiply: Int64, divide: Int64) {
        switch (unit, form.measure) {
        case (.piece, _), (.solid, .count): return (1, 1)
        case (.millilitres(let thousandths), .volume): return (thousandths, 1000)
        // A vial may be dosed by volume when its label says how much it holds; ours does not say so.
        case (.millilitres, .count): throw .unsuitableUnit
        case (.micrograms(let each), let measure):
            guard let strength = strength.flatMap({ Strength($0) }) else { throw .unsuitableUnit }
            // Micrograms of the dose, divided by the micrograms in one piece or in one millilitre.
            let perMeasure = measure == .volume ? strength.perMillilitres : strength.perPieces
            guard let perMeasure else { throw .unsuitableUnit }
            let (multiply, overflow) = each.multipliedReportingOverflow(by: perMeasure)
            guard !overflow else { throw .outOfRange }
            return (multiply, strength.micrograms)
        case (.solid, .volume), (.unknown, _): throw .unsuitableUnit
        case (_, .pack): return (1, 1)
        }
    }
}

/// What a dose is said in.
enum DoseUnit: Equatable {
    /// One of what the form is counted in, whatever that is.
    case piece
    /// A tablet, a capsule, a puff: nothing that is measured in millilitres.
    case solid
    /// Thousandths of a millilitre in one.
    case millilitres(Int64)
    case micrograms(Int64)
    case unknown

    init(_ text: String) {
        switch text.lowercased().filter({ $0 != " " && $0 != "." && $0 != "(" && $0 != ")" }) {
        case "", "unit", "units", "dose", "doses", "piece", "pieces", "pcs": self = .piece
        case "tablet", "tablets", "tab", "tabs",
            "capsule", "capsules", "cap", "caps", "sachet", "sachets", "suppository", "suppositories", "patch",
            "patches", "puff", "puffs", "spray", "sprays", "application", "applications", "vial", "vials", "ampoule",
            "ampoules", "injection", "injections", "lozenge", "lozenges":
            self = .solid
        case "ml", "millilitre", "millilitres", "milliliter", "milliliters", "cc": self = .millilitres(1000)
        case "tsp", "teaspoon", "teaspoons": self = .millilitres(5000)
        case "tbsp", "tablespoon", "tablespoons": self = .millilitres(15_000)
        case "l", "litre", "liter": self = .millilitres(1_000_000)
        case "drop", "drops": self = .millilitres(50)
        case "mcg", "ug", "µg", "μg", "microgram", "micrograms": self = .micrograms(1)
        case "mg", "milligram", "milligrams": self = .micrograms(1000)
        case "g", "gm", "gram", "grams": self = .micrograms(1_000_000)
        default: self = .unknown
        }
    }
}

/// How a form of medicine is counted when it leaves the shelf.
struct DoseForm: Equatable {
    enum Measure: Equatable { case count, volume, pack }
    let measure: Measure
    let unit: String

    init(_ text: String) {
        let form = text.lowercased()
        func has(_ words: String...) -> Bool { words.contains { form.contains($0) } }
        if has("cream", "ointment", "gel", "lotion", "inhaler", "spray", "drops", "shampoo", "paste", "foam", "nebul") {
            self.init(.pack, "pack")
        } else if has("syrup", "suspension", "solution", "liquid", "elixir", "linctus", "mixture") {
            self.init(.volume, "ml")
        } else {
            let known = ["tablet", "capsule", "sachet", "suppository", "patch", "vial", "ampoule", "lozenge", "injection"]
            self.init(.count, known.first { form.contains($0) } ?? "unit")
        }
    }

    private init(_ measure: Measure, _ unit: String) {
        self.measure = measure
        self.unit = unit
    }
}

/// What a label says is in one piece or in some millilitres: `500 mg`, `250 mg/5 ml`.
struct Strength: Equatable {
    let micrograms: Int64
    /// Pieces that hold it; nil when the label speaks of a volume.
    let perPieces: Int64?
    /// Thousandths of a millilitre that hold it, divided out of the ratio; nil when the label speaks of pieces.
    let perMillilitres: Int64?

    init?(_ label: String) {
        let sides = label.lowercased().split(separator: "/", omittingEmptySubsequences: false)
        guard sides.count <= 2, let first = sides.first, let mass = Self.read(first),
            case .micrograms(let unit) = mass.unit
        else { return nil }
        let (product, overflow) = mass.thousandths.multipliedReportingOverflow(by: unit)
        guard !overflow, product > 0, product % 1000 == 0 else { return nil }
        let micrograms = product / 1000
        guard sides.count == 2 else {
            self.init(micrograms: micrograms, perPieces: 1, perMillilitres: nil)
            return
        }
        // `100 mg/ml` leaves out the one.
        let volume = Self.read(sides[1]) ?? Self.read("1" + sides[1])
        guard let volume, case .millilitres(1000) = volume.unit, volume.thousandths > 0, volume.thousandths % 1000 == 0
        else { return nil }
        self.init(micrograms: micrograms, perPieces: nil, perMillilitres: volume.thousandths / 1000)
    }

    private init(micrograms: Int64, perPieces: Int64?, perMillilitres: Int64?) {
        self.micrograms = micrograms
        self.perPieces = perPieces
        self.perMillilitres = perMillilitres
    }

    /// A decimal number in thousandths and the unit after it.
    private static func read(_ text: Substring) -> (thousandths: Int64, unit: DoseUnit)? {
        let trimmed = text.drop { $0 == " " }
        let number = trimmed.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        guard !number.isEmpty, let thousandths = Thousandths(String(number))?.value else { return nil }
        let unit = trimmed.dropFirst(number.count)
        guard unit.contains(where: { $0.isLetter }) else { return nil }
        return (thousandths, DoseUnit(String(unit)))
    }
}

/// A decimal number with at most three places, as an integer.
struct Thousandths: Equatable, Sendable {
    let value: Int64

    init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, let whole = parts.first, !whole.isEmpty, whole.utf8.count <= 9,
            let units = Int64(whole)
        else { return nil }
        var fraction: Int64 = 0
        if parts.count == 2 {
            guard (1...3).contains(parts[1].utf8.count), let digits = Int64(parts[1]) else { return nil }
            fraction = digits
            for _ in parts[1].utf8.count..<3 { fraction *= 10 }
        }
        value = units * 1000 + fraction
    }

    init(value: Int64) { self.value = value }

    /// A JSON number; nil when it has more than three decimal places or is out of bounds.
    init?(_ number: Double) {
        guard number.isFinite, abs(number) <= 1_000_000 else { return nil }
        let scaled = (number * 1000).rounded()
        // What a double cannot tell from the decimal is the decimal.
        guard abs(number * 1000 - scaled) < 1e-6, let value = Int64(exactly: scaled) else { return nil }
        self.value = value
    }

    /// `0.5`, `2`.
    var text: String {
        let fraction = value % 1000
        guard fraction != 0 else { return "\(value / 1000)" }
        var digits = String(String(1000 + fraction).dropFirst())
        while digits.hasSuffix("0") { digits.removeLast() }
        return "\(value / 1000).\(digits)"
    }
}
