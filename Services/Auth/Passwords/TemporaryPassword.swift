import Cryptography
import Primitives

/// A password that an administrator sees once and hands over: good for choosing another, and for nothing else.
struct TemporaryPassword: Sendable {
    /// How long it waits for its owner to choose another: three days.
    static let life: Int64 = 259_200

    let text = Base64URL.encode(Random.bytes(15))
    let expiresAt: Timestamp

    init(at now: Timestamp) { expiresAt = now.adding(seconds: Self.life) }
}

extension TemporaryPassword: CustomStringConvertible {
    var description: String { "***" }
}
