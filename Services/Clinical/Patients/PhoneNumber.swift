/// A telephone number in E.164: what a person typed, made comparable.
struct PhoneNumber: Equatable, Sendable {
    /// `+` and 8 to 15 digits.
    let text: String

    /// Reads a number as people write it. Ten digits without a country code belong to `country` (91 is India).
    /// Anything that cannot be one is nil.
    init?(_ typed: String, country: String = "91") {
        var digits: [UInt8] = []
        var hasPlus = false
        for scalar in typed.unicodeScalars {
            switch scalar {
            case "0"..."9": digits.append(UInt8(scalar.value))
            case "+":
                guard digits.isEmpty, !hasPlus else { return nil }
                hasPlus = true
            case " ", "-", "(", ")", ".", "/", "\u{a0}": continue
            default: return nil
            }
            if digits.count > 18 { return nil }
        }
        var number = String(decoding: digits, as: UTF8.self)
        if !hasPlus {
            if number.hasPrefix("00") {
                number.removeFirst(2)
            } else if number.count == 10 {
                number = country + number
            } else if number.count == 11, number.hasPrefix("0") {
                number = country + number.dropFirst()
            } else if !(number.count == 10 + country.count && number.hasPrefix(country)) {
                return nil
            }
        }
        guard (8...15).contains(number.count), !number.hasPrefix("0") else { return nil }
        text = "+" + number
    }

    /// Without the plus sign.
    var digits: String { String(text.dropFirst()) }
}
