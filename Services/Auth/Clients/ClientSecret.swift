import Cryptography
import Postgres

/// A client's secret: 256 random bits, shown once. It is stored as an HMAC, and not by Argon2id, because nobody can
/// guess 256 bits however fast; the key makes a stolen table worth nothing.
struct ClientSecrets: Sendable {
    private let key: SymmetricKey

    init(indexKey: SymmetricKey) { key = indexKey.derived(for: "client secrets") }

    func make() -> (secret: String, hash: Bytes) {
        let secret = Base64URL.encode(Random.bytes(32))
        return (secret, hash(secret))
    }

    func hash(_ secret: String) -> Bytes { Bytes(SHA256.authenticate([UInt8](secret.utf8), key: key.bytes)) }

    func isRight(_ secret: String, for stored: Bytes) -> Bool { constantTimeEqual(hash(secret).array, stored.array) }
}
