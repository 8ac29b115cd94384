import Access
import Bootstrap
import Cryptography
import HTTP
import JSON
import Loop
import Postgres

/// Which passwords may be chosen: NIST SP 800-63B-4, section 3.1.1. Length and the breach list decide; which kinds of
/// characters it is made of does not, and it never runs out.
struct PasswordPolicy: Sendable {
    /// With nothing beside it a password is guessed offline and online alike; with a second factor it need not last.
    static let shortestAlone = 15
    static let shortestBesideAFactor = 8
    static let longest = 128

    let breached: BreachList

    enum Refusal: Error, Equatable {
        case tooShort(atLeast: Int)
        case tooLong
        case breached
        /// The address itself, one thing over and over, or letters in the order of the alphabet.
        case guessable
    }

    /// `address` is what the person signs in with.
    func check(_ password: String, address: String, hasSecondFactor: Bool) throws(Refusal) {
        let password = password.composed
        let length = password.unicodeScalars.count
        let shortest = hasSecondFactor ? Self.shortestBesideAFactor : Self.shortestAlone
        guard length >= shortest else { throw .tooShort(atLeast: shortest) }
        guard length <= Self.longest else { throw .tooLong }
        if breached.contains(password) { throw .breached }
        let lower = password.lowercased()
        let address = address.lowercased()
        let mailbox = String(address.prefix { $0 != "@" })
        if lower == address || lower == mailbox || Self.isSequence(lower) { throw .guessable }
        guard let unit = Self.repeated(lower) else { return }
        if unit.unicodeScalars.count <= 4 || unit == mailbox { throw .guessable }
        if breached.contains(unit) { throw .breached }
    }

    /// Whether it is long enough to be somebody's only factor.
    static func standsAlone(_ password: String) -> Bool { password.composed.unicodeScalars.count >= shortestAlone }

    /// What the text repeats from its first to its last character ("abcabcab" repeats "abc"); nil when it does not.
    static func repeated(_ text: String) -> String? {
        let letters = Array(text.unicodeScalars)
        guard letters.count >= 2 else { return nil }
        for period in 1...letters.count / 2 where (period..<letters.count).allSatisfy({ letters[$0] == letters[$0 - period] }) {
            var unit = String.UnicodeScalarView()
            unit.append(contentsOf: letters[..<period])
            return String(unit)
        }
        return nil
    }

    /// Whether every character follows the one before it by one, up or down: 12345678…, zyxwv….
    static func isSequence(_ text: String) -> Bool {
        let values = text.unicodeScalars.map { Int($0.value) }
        let steps = zip(values, values.dropFirst()).map { $1 - $0 }
        return !steps.isEmpty && (steps.allSatisfy { $0 == 1 } || steps.allSatisfy { $0 == -1 })
    }
}

extension PasswordPolicy {
    /// The same for somebody who is signed in.
    @LoopActor func require(
        _ password: String, for caller: Principal, hasSecondFactor: Bool, vaults: Vaults, _ sql: any SQLSession
    ) async throws {
        let store = AccountStore(sql: sql, vault: try await vaults.vault(of: caller.tenant, sql))
        guard let account = try await store.find(caller.account) else { throw TokenRefusal.revoked }
        do { try check(password, address: account.email, hasSecondFactor: hasSecondFactor) } catch {
            throw Problem.invalid([error.fieldError("newPassword")])
        }
    }
}

extension PasswordPolicy.Refusal: ProblemConvertible {
    var problem: Problem { .invalid([fieldError("password")]) }

    /// The same under the name of the field it came in.
    func fieldError(_ field: String) -> FieldError {
        let (code, detail) =
            switch self {
            case .tooShort(let least): ("too_short", "Use at least \(least) characters; a few words are easy to remember.")
            case .tooLong: ("too_long", "Use at most \(PasswordPolicy.longest) characters.")
            case .breached: ("breached", "This password is on lists that attackers try first. Choose another.")
            case .guessable: ("guessable", "This password is easily guessed. Choose another.")
            }
        return FieldError(pointer: "/\(field)", code: code, detail: detail)
    }
}
