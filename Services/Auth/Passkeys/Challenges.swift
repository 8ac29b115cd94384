import Bootstrap
import Cryptography
import Loop
import Postgres
import Primitives

/// Challenges that need no memory until they are answered: random bytes and an end, authenticated by us for one purpose
/// and, when registering, one account.
struct Challenges: Sendable {
    enum Purpose: Equatable, Sendable {
        case signIn
        case register(AccountID)

        fileprivate var text: String {
            switch self {
            case .signIn: "sign-in"
            case .register(let account): "register|\(account)"
            }
        }
    }

    static let life: Int64 = 300
    private static let length = 16 + 8 + 32

    let keys: RotatingKeys

    func make(for purpose: Purpose, at now: Timestamp) -> [UInt8] {
        let end = UInt64(clamping: now.adding(seconds: Self.life).microseconds)
        let head = Random.bytes(16) + (0..<8).map { UInt8(truncatingIfNeeded: end >> UInt64(56 - $0 * 8)) }
        return head + chain.authenticate(Self.message(head, purpose))
    }

    /// Whether it is ours, for this, and not over. Whether it was answered before only `SpentChallengeStore` knows.
    func isValid(_ challenge: [UInt8], for purpose: Purpose, at now: Timestamp) -> Bool {
        guard challenge.count == Self.length else { return false }
        let head = [UInt8](challenge[..<24])
        guard chain.isAuthentic([UInt8](challenge[24...]), of: Self.message(head, purpose)) else { return false }
        let end = head[16..<24].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return UInt64(clamping: now.microseconds) < end
    }

    private var chain: KeyChain { keys.keys(for: "passkey challenges") }

    private static func message(_ head: [UInt8], _ purpose: Purpose) -> [UInt8] { [UInt8](purpose.text.utf8) + [0] + head }
}

/// Every statement that touches `spent_challenge`.
@LoopActor struct SpentChallengeStore {
    let sql: any SQLSession

    /// False when the challenge was answered before. One statement: of two answers at once one is first.
    func spend(_ challenge: [UInt8], at now: Timestamp) async throws -> Bool {
        try await sql.run(
            """
            insert into spent_challenge (hash, expires_at)
            values (\(Bytes(SHA256.digest(challenge))), \(now.adding(seconds: Challenges.life)))
            on conflict do nothing
            """) == 1
    }

    func sweep(before time: Timestamp) async throws {
        try await sql.run("delete from spent_challenge where expires_at < \(time)")
    }
}
