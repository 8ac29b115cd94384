import CSodium

// Every libsodium function this package calls is named in this file.

enum RawSodium {
    /// Picks the fastest implementations; libsodium wants it once before anything else.
    private static let ready: Bool = sodium_init() >= 0

    static func random(_ count: Int) -> [UInt8] {
        precondition(ready, "libsodium cannot start")
        return [UInt8](unsafeUninitializedCapacity: count) { output, filled in
            filled = 0
            guard let start = output.baseAddress else { return }
            randombytes_buf(start, count)
            filled = count
        }
    }

    /// Compares all bytes whatever the first difference. Both must have `a.count` bytes.
    static func equal(_ a: [UInt8], _ b: [UInt8]) -> Bool { sodium_memcmp(a, b, a.count) == 0 }

    /// The Argon2id string `$argon2id$v=19$m=…,t=…,p=1$salt$hash`; nil when the memory is not to be had.
    static func argon2id(_ password: [UInt8], passes: Int, memoryBytes: Int) -> String? {
        precondition(ready, "libsodium cannot start")
        var text = [CChar](repeating: 0, count: Int(crypto_pwhash_STRBYTES))
        let letters = password.map { CChar(bitPattern: $0) }
        guard crypto_pwhash_str(&text, letters, UInt64(letters.count), UInt64(passes), memoryBytes) == 0 else {
            return nil
        }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    static func verifyArgon2id(_ hash: String, _ password: [UInt8]) -> Bool {
        precondition(ready, "libsodium cannot start")
        let letters = password.map { CChar(bitPattern: $0) }
        return crypto_pwhash_str_verify(hash, letters, UInt64(letters.count)) == 0
    }

    /// libsodium refuses keys of small order and signatures that are not in their one form.
    static func verifyEd25519(_ signature: [UInt8], _ message: [UInt8], _ key: [UInt8]) -> Bool {
        precondition(ready, "libsodium cannot start")
        return crypto_sign_verify_detached(signature, message, UInt64(message.count), key) == 0
    }

    static func argon2idNeedsRehash(_ hash: String, passes: Int, memoryBytes: Int) -> Bool {
        crypto_pwhash_str_needs_rehash(hash, UInt64(passes), memoryBytes) != 0
    }
}
