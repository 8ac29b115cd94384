import Bootstrap
import Cryptography
import Postgres

/// A client's secret: 256 random bits, shown once. Of that a SHA-256 is stored, and no Argon2id and no key, because
/// nobody can guess 256 bits however fast: a stolen table is worth nothing, and no key has to last as long as a secret.
///
/// Earlier ones rest as an HMAC under an index key. While that key is being exchanged they are stored anew as their
/// clients come; a secret whose key is gone is refused, and an administrator makes another.
struct ClientSecrets: Sendable {
    private static let plain: UInt8 = 1
    private let keys: RotatingKeys

    init(keys: RotatingKeys) { self.keys = keys }

    private var chain: KeyChain { keys.keys(for: "client secrets") }

    func make() -> (secret: String, hash: Bytes) {
        let secret = Base64URL.encode(Random.bytes(32))
        return (secret, hash(secret))
    }

    /// 1 ‖ SHA-256.
    func hash(_ secret: String) -> Bytes { Bytes([Self.plain] + SHA256.digest([UInt8](secret.utf8))) }

    func isRight(_ secret: String, for stored: Bytes) -> Bool {
        Self.isKeyed(stored)
            ? chain.isAuthentic(stored.array, of: [UInt8](secret.utf8)) : constantTimeEqual(hash(secret).array, stored.array)
    }

    /// Whether to store a right secret anew: before the key that it hangs on is taken away.
    func isLeaving(_ stored: Bytes) -> Bool { Self.isKeyed(stored) && !chain.former.isEmpty }

    static func isKeyed(_ stored: Bytes) -> Bool { stored.array.count == 32 }
}
