/// Folds the spellings that one sound gets when names are written in Latin letters.
///
/// `Lakshmi` and `Laxmi`, `Chaudhary` and `Chowdhury`, `Mohammed` and `Muhammad` fold to the same key. It is a
/// candidate key only: ranking decides what is shown.
enum SoundKey {
    /// Nil for words too short, or not in Latin letters, to say anything.
    static func of(_ token: String) -> String? {
        let letters = Array(token.utf8)
        guard letters.count >= 4, letters.allSatisfy({ (0x61...0x7a).contains($0) }) else { return nil }
        var text = token
        for (from, to) in rules { text = replacing(from, with: to, in: text) }
        var key: [UInt8] = []
        for (index, letter) in text.utf8.enumerated() {
            let isVowel = "aeiou".utf8.contains(letter)
            // An aspirated letter is often written without its h, and most vowels vary.
            if index > 0 && (isVowel || letter == UInt8(ascii: "h")) { continue }
            if key.last != letter { key.append(letter) }
        }
        return key.count >= 2 ? String(decoding: key, as: UTF8.self) : nil
    }

    private static let rules: [(String, String)] = [
        ("ow", "o"), ("aw", "o"), ("ph", "f"), ("sch", "s"), ("ch", "c"), ("ck", "k"), ("q", "k"), ("x", "ks"), ("w", "v"), ("z", "j"),
        ("y", "i"), ("cc", "c"),
    ]

    private static func replacing(_ from: String, with to: String, in text: String) -> String {
        let source = Array(text.utf8)
        let pattern = Array(from.utf8)
        var result: [UInt8] = []
        var index = 0
        while index < source.count {
            if source[index...].starts(with: pattern) {
                result.append(contentsOf: to.utf8)
                index += pattern.count
            } else {
                result.append(source[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
