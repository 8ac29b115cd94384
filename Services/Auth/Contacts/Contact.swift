import Postgres

/// Where a person can be reached, which is also what they sign in with.
struct Contact: Equatable, Sendable {
    enum Channel: String, Sendable { case email, sms }

    let channel: Channel
    let text: String

    /// An e-mail address, or a telephone number with its country (E.164).
    init?(_ typed: String) {
        if let email = EmailAddress(typed) {
            channel = .email
            text = email.text
        } else if let phone = Self.phone(typed) {
            channel = .sms
            text = phone
        } else {
            return nil
        }
    }

    /// `+` and 8 to 15 digits; people write spaces, hyphens and brackets between them.
    private static func phone(_ typed: String) -> String? {
        let plain = typed.filter { !" -()".contains($0) }
        guard plain.first == "+", (9...16).contains(plain.utf8.count),
            plain.utf8.dropFirst().allSatisfy({ (0x30...0x39).contains($0) }), plain.utf8.dropFirst().first != 0x30
        else { return nil }
        return plain
    }
}

extension EmailIndex {
    func callAsFunction(_ contact: Contact) -> [Bytes] { index(of: contact.text) }
}
