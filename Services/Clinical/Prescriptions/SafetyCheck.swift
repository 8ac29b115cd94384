import Primitives

/// What speaks against a prescription: a recorded allergy, the same medicine twice, two medicines that harm together.
///
/// A doctor may go on with a reason; nobody may go on unknowingly.
struct SafetyCheck {
    /// A medicine as a check needs it.
    struct Medicine: Sendable, Equatable {
        let id: MedicineID
        let name: String
        let genericName: String?
        let atc: String?
    }

    struct Alert: Equatable, Sendable {
        enum Kind: String, Sendable { case allergy, duplicate, interaction }
        /// Position in the prescription.
        let item: Int
        let kind: Kind
        let detail: String
    }

    let allergies: [HealthFact]
    /// What the patient takes already.
    let current: [Medicine]

    func alerts(for ordered: [Medicine]) -> [Alert] {
        var alerts: [Alert] = []
        for (index, medicine) in ordered.enumerated() {
            if let allergy = allergies.first(where: { Self.concerns($0, medicine) }) {
                let coded = allergy.atc.map { " (ATC \($0))" } ?? ""
                alerts.append(Alert(item: index, kind: .allergy, detail: "A recorded allergy concerns this medicine\(coded)."))
            }
            let others = current + ordered[..<index]
            if others.contains(where: { Self.isSame($0, medicine) }) {
                alerts.append(Alert(item: index, kind: .duplicate, detail: "The patient has this substance prescribed already."))
            }
            for other in others {
                guard let risk = Interactions.risk(medicine.atc, other.atc) else { continue }
                alerts.append(
                    Alert(item: index, kind: .interaction, detail: "With \(other.genericName ?? other.name): \(risk)."))
            }
        }
        return alerts
    }

    private static func isSame(_ a: Medicine, _ b: Medicine) -> Bool {
        if a.id == b.id { return true }
        guard let first = a.atc, let second = b.atc, first.utf8.count == 7 else { return false }
        return first.uppercased() == second.uppercased()
    }

    /// By code when both have one; otherwise by the words, where `penicillin` stands for its whole class.
    private static func concerns(_ allergy: HealthFact, _ medicine: Medicine) -> Bool {
        let atc = medicine.atc?.uppercased()
        if let atc, let code = allergy.atc?.uppercased(), code.utf8.count >= 3, atc.hasPrefix(code) { return true }
        let words = Set(NameTokens.of(allergy.text).filter { $0.utf8.count >= 4 && !Self.empty.contains($0) })
        let names = NameTokens.of(medicine.name) + (medicine.genericName.map(NameTokens.of) ?? [])
        if names.contains(where: { words.contains($0) }) { return true }
        for word in words {
            for (start, classes) in AllergyClasses.table where word.hasPrefix(start) {
                if let atc, classes.contains(where: { atc.hasPrefix($0) }) { return true }
            }
            // Without a code, the ending of a generic name tells its family.
            if word.hasPrefix("penicillin"), names.contains(where: { $0.hasSuffix("cillin") }) { return true }
        }
        return false
    }

    /// Words that say nothing about a substance.
    private static let empty: Set<String> = ["allergy", "allergic", "drug", "drugs", "tablet", "tablets", "disorder", "severe", "mild", "with", "from"]
}

/// What people call a class of medicines, and its ATC codes. A word that begins so stands for the class.
enum AllergyClasses {
    static let table: [(word: String, classes: [String])] = [
        ("penicillin", ["J01C"]), ("amoxicillin", ["J01C"]), ("ampicillin", ["J01C"]), ("cephalosporin", ["J01DB", "J01DC", "J01DD", "J01DE"]),
        ("sulfa", ["J01E", "S01AB"]), ("sulfon", ["J01E", "S01AB"]), ("sulpha", ["J01E", "S01AB"]), ("sulphon", ["J01E", "S01AB"]),
        ("aspirin", ["N02BA", "B01AC06", "M01A"]), ("acetylsalicylic", ["N02BA", "B01AC06", "M01A"]),
        ("nsaid", ["M01A", "N02BA"]), ("ibuprofen", ["M01A"]), ("diclofenac", ["M01A"]), ("naproxen", ["M01A"]),
        ("macrolide", ["J01FA"]), ("erythromycin", ["J01FA"]), ("quinolone", ["J01M"]), ("fluoroquinolone", ["J01M"]),
        ("tetracycline", ["J01A"]), ("statin", ["C10AA"]), ("opioid", ["N02A"]), ("morphine", ["N02A"]), ("codeine", ["N02A", "R05DA04"]),
        ("paracetamol", ["N02BE"]), ("acetaminophen", ["N02BE"]), ("insulin", ["A10A"]), ("heparin", ["B01AB"]),
    ]
}
