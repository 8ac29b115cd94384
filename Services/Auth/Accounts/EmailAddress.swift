import Cryptography
import Postgres

/// An e-mail address as we keep it: lower case, so that one person is one account however it is typed.
struct EmailAddress: Equatable, Sendable {
    let text: String

    /// Takes what mail servers take in practice: one @, something on both sides, a dot in the domain, no spaces or
    /// controls, at most 254 bytes. Whether it exists only a message to it can tell.
    init?(_ typed: String) {
        let text = typed.lowercased()
        guard (6...254).contains(text.utf8.count) else { return nil }
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, (1...64).contains(parts[0].utf8.count) else { return nil }
        let labels = parts[1].split(separator: ".", omittingEmptySubsequences: false)
        guard labels.count >= 2, labels.allSatisfy({ !$0.isEmpty }) else { return nil }
        let isPlain = text.unicodeScalars.allSatisfy {
            $0.value > 0x20 && $0.value != 0x7f && !$0.properties.isWhitespace && !"()<>,;:\\\"[]".unicodeScalars.contains($0)
        }
        guard isPlain else { return nil }
        self.text = text
    }
}

/// The keyed hash by which an address is found without being readable.
struct EmailIndex: Sendable {
    private let key: SymmetricKey

    init(indexKey: SymmetricKey) { key = indexKey.derived(for: "auth e-mail index") }

    func callAsFunction(_ email: EmailAddress) -> Bytes { index(of: email.text) }

    /// Of an address as we keep it, of whatever kind.
    func index(of text: String) -> Bytes { Bytes(SHA256.authenticate([UInt8](text.utf8), key: key.bytes)) }

    /// One name for one account however it is typed: a phone number with other spaces is no new one to guess at.
    static func name(_ typed: String) -> String { Contact(typed)?.text ?? typed.lowercased() }

    /// The keys that failures are counted under: this address of this client, and the client alone.
    func failureKeys(_ typed: String, from client: String) -> (both: Bytes, client: Bytes) {
        let both = "failure|\(Self.name(typed))|\(client)"
        return (
            Bytes(SHA256.authenticate([UInt8](both.utf8), key: key.bytes)),
            Bytes(SHA256.authenticate([UInt8]("failures of|\(client)".utf8), key: key.bytes))
        )
    }
}
