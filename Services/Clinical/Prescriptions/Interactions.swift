/// Pairs of medicines that are well known to harm together, by ATC prefix.
///
/// A short table of the pairs every formulary warns of; it is no substitute for a full interaction database, and
/// silence here is no promise.
enum Interactions {
    /// Why the two should not meet; nil when the table knows of nothing.
    static func risk(_ first: String?, _ second: String?) -> String? {
        guard let a = first?.uppercased(), let b = second?.uppercased() else { return nil }
        for pair in table {
            let forth = matches(a, pair.one) && matches(b, pair.other)
            let back = matches(b, pair.one) && matches(a, pair.other)
            if forth || back { return pair.risk }
        }
        return nil
    }

    private static func matches(_ atc: String, _ prefixes: [String]) -> Bool {
        prefixes.contains { atc.hasPrefix($0) }
    }

    private static let nsaids = ["M01A", "N02BA"]
    private static let table: [(one: [String], other: [String], risk: String)] = [
        (["B01AA"], nsaids + ["B01AC06"], "bleeding"),
        (["B01AA"], ["J01FA", "J01XD", "P01AB01", "J02AC", "J01MA", "J01E"], "the anticoagulant acts more strongly"),
        (["B01AF", "B01AE"], nsaids + ["B01AC"], "bleeding"),
        (["C09A", "C09B"], ["C03DA", "A12BA"], "high potassium"),
        (["C09C", "C09D"], ["C03DA", "A12BA"], "high potassium"),
        (["C09A", "C09B"], ["C09C", "C09D"], "kidney injury and high potassium"),
        (["C10AA01", "C10AA02"], ["J01FA09", "J01FA01", "J02AC02"], "muscle damage"),
        (["G04BE"], ["C01DA"], "a dangerous fall of blood pressure"),
        (["N06AB", "N06AX16"], ["N06AF", "N06AG"], "serotonin syndrome"),
        (["N06AB", "N06AX16"], ["N02AX02", "N02AB03"], "serotonin syndrome"),
        (["L01BA01", "L04AX03"], nsaids + ["J01EA", "J01EE"], "methotrexate toxicity"),
        (["C01AA05"], ["C08DA01", "C01BD01", "J01FA09"], "digoxin toxicity"),
        (["N05AN"], ["M01A", "C03A", "C09A", "C09C"], "lithium toxicity"),
        (["B01AC04"], ["A02BC01", "A02BC05"], "the platelet inhibitor acts less"),
        (["L04AX01"], ["M04AA01"], "bone marrow failure"),
        (["R03DA"], ["J01MA02"], "theophylline toxicity"),
        (["N05BA", "N05CD"], ["N02A"], "depressed breathing"),
        (["C07A"], ["C08DA"], "heart block"),
        (["A10BB"], ["J02AC"], "low blood sugar"),
    ]
}
