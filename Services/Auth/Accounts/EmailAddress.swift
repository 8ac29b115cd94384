import Bootstrap
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

/// The keyed hashes by which an address is found without being readable: one for each index key, the current one's first.
///
/// An account has a row of `login` for each of them, so that one address is one account while keys change: a process
/// that knows the former key only and one that knows the new one only both meet one that knows both.
struct EmailIndex: Sendable {
    private let keys: RotatingKeys

    init(keys: RotatingKeys) { self.keys = keys }

    private var chain: KeyChain { keys.keys(for: "auth e-mail index") }

    func callAsFunction(_ email: EmailAddress) -> [Bytes] { index(of: email.text) }

    /// Of an address as we keep it, of whatever kind.
    func index(of text: String) -> [Bytes] {
        chain.all.map { Bytes(SHA256.authenticate([UInt8](text.utf8), key: $0.bytes)) }
    }

    /// One name for one account however it is typed: a phone number with other spaces is no new one to guess at.
    static func name(_ typed: String) -> String { Contact(typed)?.text ?? typed.lowercased() }

    /// The keys that failures are counted under: this address of this client, and the client alone. A change of the
    /// index key starts the counts of the last quarter of an hour afresh.
    func failureKeys(_ typed: String, from client: String) -> (both: Bytes, client: Bytes) {
        let keys = chain
        let both = "failure|\(Self.name(typed))|\(client)"
        return (
            Bytes(keys.authenticate([UInt8](both.utf8))), Bytes(keys.authenticate([UInt8]("failures of|\(client)".utf8)))
        )
    }
}
