import Cryptography

/// The keyed hashes under which a patient is found, and those that a question asks for.
///
/// What is stored is 64 bits of HMAC-SHA-256 under a key of the tenant: without the key they can be compared, not read.
/// A shared deletion variant means that two words are at most two edits apart (a deletion on either side; a swap of
/// neighbours is one), so misspelt words meet without either being in clear.
struct SearchKeys {
    let ring: KeyRing

    /// Kinds keep a prefix from meeting a whole word that looks like it.
    private enum Kind: String { case word = "w", prefix = "p", sound = "s", phone = "t", phoneEnd = "e" }

    /// How many letters of a name a person types before the rest is guessed.
    static let prefixes = 3...5
    static let phoneEnd = 7

    // MARK: what is stored

    func stored(name: String, phone: String?) -> [Int64] {
        var keys = Set<Int64>()
        for token in NameTokens.of(name) {
            keys.insert(key(.word, token))
            for variant in Self.deletions(of: token) { keys.insert(key(.word, variant)) }
            for length in Self.prefixes where token.unicodeScalars.count > length {
                keys.insert(key(.prefix, Self.prefix(length, of: token)))
            }
            if let sound = SoundKey.of(token) { keys.insert(key(.sound, sound)) }
        }
        if let phone, let digits = PhoneNumber(phone)?.digits {
            keys.insert(key(.phone, digits))
            keys.insert(key(.phone, String(digits.suffix(10))))
            keys.insert(key(.phoneEnd, String(digits.suffix(Self.phoneEnd))))
        }
        return keys.sorted()
    }

    // MARK: what is asked

    /// The keys of words at most two edits from this one, the word itself first.
    func close(to token: String) -> [Int64] {
        [key(.word, token)] + Self.deletions(of: token).map { key(.word, $0) }
    }

    /// The key of names that begin with this word, if it is as short as a beginning.
    func begun(_ token: String) -> [Int64] {
        Self.prefixes.contains(token.unicodeScalars.count) ? [key(.prefix, token)] : []
    }

    /// What else the word may stand for: its sound, or the beginning of a longer word. These keys are popular.
    func distant(_ token: String) -> [Int64] {
        var keys: [Int64] = []
        if let sound = SoundKey.of(token) { keys.append(key(.sound, sound)) }
        if token.unicodeScalars.count > Self.prefixes.upperBound {
            keys.append(key(.prefix, Self.prefix(Self.prefixes.upperBound, of: token)))
        }
        return keys + begun(token)
    }

    /// The keys for digits that may be a phone number, or its end; empty when they cannot be.
    func asked(phone typed: String) -> [Int64] {
        let digits = typed.filter { ("0"..."9").contains($0) }
        var keys: [Int64] = []
        if let number = PhoneNumber(typed) { keys.append(key(.phone, number.digits)) }
        if digits.count >= 10 { keys.append(key(.phone, String(digits.suffix(10)))) }
        if digits.count == Self.phoneEnd { keys.append(key(.phoneEnd, digits)) }
        return keys
    }

    // MARK: hashing

    private func key(_ kind: Kind, _ text: String) -> Int64 {
        let digest = SHA256.authenticate(Array("\(kind.rawValue)|\(text)".utf8), key: ring.search.bytes)
        var value: UInt64 = 0
        for byte in digest.prefix(8) { value = value << 8 | UInt64(byte) }
        return Int64(bitPattern: value)
    }

    /// Every word that is this one without one letter. Words of two letters have none that would tell anything.
    static func deletions(of token: String) -> [String] {
        let scalars = Array(token.unicodeScalars)
        guard scalars.count >= 3 else { return [] }
        var variants: [String] = []
        for skipped in scalars.indices {
            // Leaving out either of two equal neighbours is the same word.
            if skipped > 0 && scalars[skipped] == scalars[skipped - 1] { continue }
            var variant = String.UnicodeScalarView()
            for index in scalars.indices where index != skipped { variant.append(scalars[index]) }
            variants.append(String(variant))
        }
        return variants
    }

    private static func prefix(_ length: Int, of token: String) -> String {
        String(String.UnicodeScalarView(token.unicodeScalars.prefix(length)))
    }
}
