/// Argon2id over an HMAC of the password: what a stolen table is worth without the pepper is nothing.
///
/// 46 MiB and one pass is OWASP's row with the most memory. Measured on 2 EPYC cores: 28 ms quiet, 108 ms on a
/// loaded one (promises D22), so two at once stay inside the 250 ms a login may take. Each call burns a core and
/// 46 MiB: callers run it on `BlockingPool`, whose bound is the bound on both.
/// A password is normalised (NFC) first: the same word from two keyboards is the same password.
package struct PasswordHash: Sendable {
    private let pepper: SymmetricKey
    private let passes: Int
    private let memoryBytes: Int

    package init(pepper: SymmetricKey, passes: Int = 1, memoryMiB: Int = 46) {
        self.pepper = pepper
        self.passes = passes
        memoryBytes = memoryMiB << 20
    }

    /// `$argon2id$v=19$m=47104,t=1,p=1$salt$hash`: parameters and salt travel with it.
    package func make(_ password: String) throws -> String {
        guard let hash = RawSodium.argon2id(peppered(password), passes: passes, memoryBytes: memoryBytes) else {
            throw CryptographyError.failed
        }
        return hash
    }

    package func verify(_ password: String, against hash: String) -> Bool {
        RawSodium.verifyArgon2id(hash, peppered(password))
    }

    /// Whether `hash` was made with other parameters: then make a new one at the next login.
    package func needsRehash(_ hash: String) -> Bool {
        RawSodium.argon2idNeedsRehash(hash, passes: passes, memoryBytes: memoryBytes)
    }

    /// HMAC first also bounds what Argon2id reads, and a NUL in a password means nothing special.
    private func peppered(_ password: String) -> [UInt8] {
        [UInt8](Base64URL.encode(SHA256.authenticate([UInt8](password.composed.utf8), key: pepper.bytes)).utf8)
    }
}
