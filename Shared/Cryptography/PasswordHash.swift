/// Argon2id over an HMAC of the password: what a stolen table is worth without the pepper is nothing.
///
/// 46 MiB and one pass is OWASP's row with the most memory. Measured on 2 EPYC cores: 28 ms quiet, 108 ms on a
/// loaded one (promises D22), so two at once stay inside the 250 ms a login may take. Each call burns a core and
/// 46 MiB: callers run it on `BlockingPool`, whose bound is the bound on both.
/// A password is normalised (NFC) first: the same word from two keyboards is the same password.
///
/// Of several peppers the first makes new hashes, and each hash says which one it was made with, so that looking costs one
/// Argon2id however many there are. One without a mark is of the last pepper: with a single one none needs a mark.
package struct PasswordHash: Sendable {
    /// As they are now: the file may change while we run.
    private let peppers: @Sendable () -> KeyChain
    private let passes: Int
    private let memoryBytes: Int

    package init(peppers: @escaping @Sendable () -> KeyChain, passes: Int = 1, memoryMiB: Int = 46) {
        self.peppers = peppers
        self.passes = passes
        memoryBytes = memoryMiB << 20
    }

    package init(pepper: SymmetricKey, passes: Int = 1, memoryMiB: Int = 46) {
        self.init(peppers: { KeyChain(pepper) }, passes: passes, memoryMiB: memoryMiB)
    }

    /// `$argon2id$v=19$m=47104,t=1,p=1$salt$hash`: parameters and salt travel with it. Eight digits before it name the
    /// pepper where there are several.
    package func make(_ password: String) throws -> String {
        let peppers = peppers()
        let words = Self.peppered(password, peppers.current)
        guard let hash = RawSodium.argon2id(words, passes: passes, memoryBytes: memoryBytes) else {
            throw CryptographyError.failed
        }
        return peppers.former.isEmpty ? hash : Self.mark(peppers.current) + hash
    }

    /// Throws `unknownKey` for a pepper that is not here: nobody can say whether such a password is right.
    package func verify(_ password: String, against stored: String) throws -> Bool {
        let (pepper, hash) = try Self.split(stored, peppers())
        return RawSodium.verifyArgon2id(hash, Self.peppered(password, pepper))
    }

    /// Whether `stored` was made with other parameters or an older pepper: then make a new one at the next login.
    package func needsRehash(_ stored: String) -> Bool {
        guard let hash = hashOfCurrentPepper(stored) else { return true }
        return RawSodium.argon2idNeedsRehash(hash, passes: passes, memoryBytes: memoryBytes)
    }

    package func hasCurrentPepper(_ stored: String) -> Bool { hashOfCurrentPepper(stored) != nil }

    /// Nil where it was made with another: a former one, or one that is not here.
    private func hashOfCurrentPepper(_ stored: String) -> String? {
        let peppers = peppers()
        guard let (pepper, hash) = try? Self.split(stored, peppers), pepper.bytes == peppers.current.bytes else { return nil }
        return hash
    }

    /// Which of `peppers` it was made with.
    private static func split(_ stored: String, _ peppers: KeyChain) throws -> (pepper: SymmetricKey, hash: String) {
        let mark = stored.prefix { $0 != "$" }
        guard mark.utf8.count == 8 else { return (peppers.former.last ?? peppers.current, stored) }
        guard let pepper = peppers.all.first(where: { Self.mark($0) == mark }) else { throw CryptographyError.unknownKey }
        return (pepper, String(stored.dropFirst(mark.count)))
    }

    /// Says nothing about the key: it is a keyed hash of words that never change.
    private static func mark(_ pepper: SymmetricKey) -> String {
        SHA256.authenticate(Array("polyclinic pepper id".utf8), key: pepper.bytes).prefix(4)
            .map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    /// HMAC first also bounds what Argon2id reads, and a NUL in a password means nothing special.
    private static func peppered(_ password: String, _ pepper: SymmetricKey) -> [UInt8] {
        [UInt8](Base64URL.encode(SHA256.authenticate([UInt8](password.composed.utf8), key: pepper.bytes)).utf8)
    }
}
