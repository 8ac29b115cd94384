import Access
import Cryptography
import Postgres
import Primitives

/// An opaque refresh token: where to look (tenant, session) and 256 secret bits. Only its hash is stored.
///
/// A token's successor follows from it by HMAC, so an answer that was lost can be repeated within the grace period
/// without keeping the successor anywhere; without our key nobody can compute it.
struct RefreshToken: Equatable, Sendable {
    let tenant: TenantID
    let session: ID<SessionKind>
    private let secret: [UInt8]

    /// The first of a session.
    init(tenant: TenantID, session: ID<SessionKind>) {
        self.tenant = tenant
        self.session = session
        secret = Random.bytes(32)
    }

    private init(tenant: TenantID, session: ID<SessionKind>, secret: [UInt8]) {
        self.tenant = tenant
        self.session = session
        self.secret = secret
    }

    /// Nil for what cannot be one of ours; whether it is one, only the stored hash tells.
    init?(_ text: String) {
        guard text.utf8.count == 86, let bytes = Base64URL.decode(text), bytes.count == 64 else { return nil }
        self.init(
            tenant: ID(bytes: bytes[0..<16]), session: ID(bytes: bytes[16..<32]), secret: [UInt8](bytes[32..<64]))
    }

    var text: String { Base64URL.encode(tenant.bytes + session.bytes + secret) }

    var hash: Bytes { Bytes(SHA256.digest(tenant.bytes + session.bytes + secret)) }

    func successor(_ key: SymmetricKey) -> RefreshToken {
        RefreshToken(
            tenant: tenant, session: session,
            secret: SHA256.authenticate([UInt8]("successor|".utf8) + session.bytes + secret, key: key.bytes))
    }
}

extension RefreshToken: CustomStringConvertible {
    var description: String { "***" }
}

extension ID {
    /// The 16 bytes, most significant first.
    var bytes: [UInt8] {
        [high, low].flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(56 - $0 * 8)) } }
    }

    /// From 16 bytes.
    init(bytes: some Sequence<UInt8>) {
        var words: (UInt64, UInt64) = (0, 0)
        for (index, byte) in bytes.enumerated() {
            if index < 8 { words.0 = words.0 << 8 | UInt64(byte) } else { words.1 = words.1 << 8 | UInt64(byte) }
        }
        self.init(high: words.0, low: words.1)
    }
}
