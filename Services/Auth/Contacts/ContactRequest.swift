import Cryptography
import JSON
import Primitives

/// A code that somebody asked for, and what it is to be good for.
struct ContactRequest: Sendable {
    enum Purpose: String, Sendable {
        case signUp = "sign_up"
        case reset
        /// Signing in with another address.
        case change
        /// No code: that what opens the account has changed.
        case notice

        /// How long it is good for, in seconds: a code for minutes, a notice until a gateway that was away is back.
        var life: Int64 { self == .notice ? 86_400 : ContactRequest.life }
    }

    /// What rests sealed.
    struct Content: Equatable, Sendable {
        let contact: String
        /// Signing up only: the clinic, the person's name, and the password they chose.
        var tenant: TenantID?
        var name: String?
        var passwordHash: String?
        /// Whose address is to be another.
        var account: AccountID?
        /// What a notice is about.
        var changed: SecurityNotice.Change?
    }

    static let life: Int64 = 600
    static let tries = 5

    let id: ID<ContactRequest>
    let purpose: Purpose
    let content: Content

    /// Six digits that follow from the id and the key that sealed it: a message that is sent twice says the same, and
    /// nothing that could be stolen is stored.
    static func code(_ id: ID<ContactRequest>, key: SymmetricKey) -> String {
        let mac = SHA256.authenticate([UInt8]("contact code|\(id)".utf8), key: key.bytes)
        let number = mac[..<8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) } % 1_000_000
        let digits = String(number)
        return String(repeating: "0", count: 6 - digits.count) + digits
    }
}

extension ContactRequest.Content {
    var json: JSONObject {
        var json = JSONObject([("contact", .string(contact))])
        json["tenant"] = tenant.map { .string($0.description) }
        json["name"] = name.map { .string($0) }
        json["passwordHash"] = passwordHash.map { .string($0) }
        json["account"] = account.map { .string($0.description) }
        json["changed"] = changed.map { .string($0.rawValue) }
        return json
    }

    init(_ json: JSONObject) throws {
        self.init(
            contact: try json.required("contact"), tenant: try json.optional("tenant"), name: try json.optional("name"),
            passwordHash: try json.optional("passwordHash"), account: try json.optional("account"),
            changed: try json.optional("changed"))
    }
}

enum ContactError: Error, Equatable {
    case contactInvalid
    case codeWrong
    case notOffered
    case clinicUnknown
}
