/// Folds the spellings that one sound gets when names are written in Latin letters.
///
/// `Lakshmi` and `Laxmi`, `Chaudhary` and `Chowdhury`, `Mohammed` and `Muhammad` fold to the same key. It is a
/// candidate key only: ranking decides what is shown.
enum SoundKey {
    /// Nil for words too short, or not in Latin letters, to say anything.
    static func of(_ token: String) -> String? {
        let letters = Array(token.utf8)
        guard letters.count >= 4, letters.allSatisfy({ (0x61...0x7a).contains($0) }) else { return nil }
        var key: [UInt8] = []
        key.reserveCapacity(letters.count)
        var index = 0
        while index < letters.count {
            let (sounds, length) = folded(letters[index...])
            for sound in sounds.utf8 {
                // An aspirated letter is often written without its h, and most vowels vary: only the first one counts.
                let varies = "aeiouh".utf8.contains(sound)
                if key.isEmpty || (!varies && key.last != sound) { key.append(sound) }
            }
            index += length
        }
        return key.count >= 2 ? String(decoding: key, as: UTF8.self) : nil
    }

    /// What the letters at hand sound like, and how many of them are spoken for.
    private static func folded(_ rest: ArraySlice<UInt8>) -> (sounds: String, length: Int) {
        guard let first = rest.first else { return ("", 1) }
        let pair = rest.dropFirst().first.map { (first, $0) } ?? (first, 0)
        switch pair {
        case (UInt8(ascii: "o"), UInt8(ascii: "w")), (UInt8(ascii: "a"), UInt8(ascii: "w")): return ("o", 2)
        case (UInt8(ascii: "p"), UInt8(ascii: "h")): return ("f", 2)
        case (UInt8(ascii: "s"), UInt8(ascii: "c")) where rest.dropFirst(2).first == UInt8(ascii: "h"): return ("s", 3)
        case (UInt8(ascii: "c"), UInt8(ascii: "h")), (UInt8(ascii: "c"), UInt8(ascii: "c")): return ("c", 2)
        case (UInt8(ascii: "c"), UInt8(ascii: "k")): return ("k", 2)
        case (UInt8(ascii: "q"), _): return ("k", 1)
        case (UInt8(ascii: "x"), _): return ("ks", 1)
        case (UInt8(ascii: "w"), _): return ("v", 1)
        case (UInt8(ascii: "z"), _): return ("j", 1)
        case (UInt8(ascii: "y"), _): return ("i", 1)
        default: return (String(Unicode.Scalar(first)), 1)
        }
    }
}
