/// Cuts a name into comparable words: lower case, without accents, split at everything that is no letter.
///
/// `O'Brien-Müller` is `o`, `brien`, `muller`. Other scripts keep their letters and vowel signs.
enum NameTokens {
    /// More words than this are no name; more letters than this are no word.
    static let limit = 8
    static let longest = 32

    static func of(_ text: String) -> [String] {
        var tokens: [String] = []
        var current = ""
        func close() {
            if !current.isEmpty && tokens.count < limit && !tokens.contains(current) { tokens.append(current) }
            current = ""
        }
        for scalar in text.unicodeScalars {
            if let folded = fold(scalar) {
                // One letter may stand for two: `ß`, `æ`.
                if current.unicodeScalars.count + folded.unicodeScalars.count <= longest { current += folded }
            } else {
                close()
            }
        }
        close()
        return tokens
    }

    /// The letters a scalar stands for, an empty string for a mark that is dropped, nil for a separator.
    private static func fold(_ scalar: Unicode.Scalar) -> String? {
        switch scalar.value {
        case 0x61...0x7a, 0x30...0x39: return String(scalar)
        case 0x41...0x5a: return scalar.properties.lowercaseMapping
        case 0..<0x80: return nil
        case 0x300...0x36f, 0x200c, 0x200d: return ""
        case 0xc0...0x17f: return latin(scalar.properties.lowercaseMapping)
        default:
            switch scalar.properties.generalCategory {
            case .uppercaseLetter, .titlecaseLetter: return scalar.properties.lowercaseMapping
            case .lowercaseLetter, .otherLetter, .modifierLetter, .nonspacingMark, .spacingMark, .decimalNumber:
                return String(scalar)
            default: return nil
            }
        }
    }

    /// Latin-1 and Latin Extended-A without their accents. The table is ours: the standard library decomposes nothing.
    private static func latin(_ lower: String) -> String {
        for (plain, accented) in table where accented.contains(lower) { return plain }
        return lower.unicodeScalars.allSatisfy({ $0.properties.isAlphabetic }) ? lower : ""
    }

    private static let table: [(String, [String])] = [
        ("a", ["à", "á", "â", "ã", "ä", "å", "ā", "ă", "ą"]), ("ae", ["æ"]), ("c", ["ç", "ć", "ĉ", "ċ", "č"]),
        ("d", ["ð", "ď", "đ"]), ("e", ["è", "é", "ê", "ë", "ē", "ĕ", "ė", "ę", "ě"]), ("g", ["ĝ", "ğ", "ġ", "ģ"]),
        ("h", ["ĥ", "ħ"]), ("i", ["ì", "í", "î", "ï", "ĩ", "ī", "ĭ", "į", "ı", "i\u{307}"]), ("j", ["ĵ"]), ("k", ["ķ", "ĸ"]),
        ("l", ["ĺ", "ļ", "ľ", "ŀ", "ł"]), ("n", ["ñ", "ń", "ņ", "ň", "ŉ", "ŋ"]),
        ("o", ["ò", "ó", "ô", "õ", "ö", "ø", "ō", "ŏ", "ő"]), ("oe", ["œ"]), ("r", ["ŕ", "ŗ", "ř"]),
        ("s", ["ś", "ŝ", "ş", "š", "ſ"]), ("ss", ["ß"]), ("t", ["ţ", "ť", "ŧ"]), ("th", ["þ"]),
        ("u", ["ù", "ú", "û", "ü", "ũ", "ū", "ŭ", "ů", "ű", "ų"]), ("w", ["ŵ"]), ("y", ["ý", "ÿ", "ŷ"]),
        ("z", ["ź", "ż", "ž"]),
    ]
}
