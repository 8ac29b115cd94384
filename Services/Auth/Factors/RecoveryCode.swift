import Cryptography
import Postgres

/// A code on paper that stands in for a lost second factor, once: 80 bits, so a keyed hash of it needs no Argon2id.
struct RecoveryCode: Equatable, Sendable {
    static let count = 10

    /// `ABCD-EFGH-JKLM-NPQR`, upper case.
    let text: String

    init() {
        let letters = Base32.encode(Random.bytes(10))
        text = stride(from: 0, to: 16, by: 4).map { String(letters.dropFirst($0).prefix(4)) }.joined(separator: "-")
    }

    /// However it was typed: lower case, without hyphens, with spaces. Nil for what cannot be one.
    init?(_ typed: String) {
        let letters = typed.uppercased().filter { $0 != "-" && $0 != " " }
        guard letters.utf8.count == 16, letters.utf8.allSatisfy({ (0x41...0x5a).contains($0) || (0x32...0x37).contains($0) })
        else { return nil }
        text = stride(from: 0, to: 16, by: 4).map { String(letters.dropFirst($0).prefix(4)) }.joined(separator: "-")
    }

    func hash(_ key: SymmetricKey) -> Bytes { Bytes(SHA256.authenticate([UInt8](text.utf8), key: key.bytes)) }
}

extension RecoveryCode: CustomStringConvertible {
    var description: String { "***" }
}
