import Cryptography
import HTTP

/// A cookie that a browser gets with a successful sign-in and shows at the next: guesses from it are counted apart from
/// everybody else's, so nobody who hammers at an account keeps its owner out of their own browser.
///
/// It proves nothing and opens nothing: it is a number with our HMAC over it and the name it is for, so nothing is
/// kept, and one made for one account says nothing for another.
struct KnownDevice: Sendable {
    static let cookie = "polyclinic_device"
    private static let year = 31_536_000

    private let key: SymmetricKey
    private let isSecure: Bool

    init(indexKey: SymmetricKey, isSecure: Bool) {
        key = indexKey.derived(for: "known devices")
        self.isSecure = isSecure
    }

    /// Where an attempt for `typed` comes from, as failures are counted: a browser that we know, or an address.
    func origin(of request: Request, for typed: String) -> (name: String, isKnown: Bool) {
        guard let shown = Self.value(in: request), let bytes = Base64URL.decode(shown), bytes.count == 48,
            constantTimeEqual([UInt8](bytes[16...]), mac([UInt8](bytes[..<16]), typed))
        else { return (request.remoteAddress, false) }
        return ("device|\(Base64URL.encode([UInt8](bytes[..<16])))", true)
    }

    /// The `Set-Cookie` of a successful sign-in.
    func header(for typed: String) -> (name: String, value: String) {
        let number = Random.bytes(16)
        let value = Base64URL.encode(number + mac(number, typed))
        let secure = isSecure ? "; Secure" : ""
        return (
            "Set-Cookie",
            "\(Self.cookie)=\(value); Path=/v1/auth; Max-Age=\(Self.year); HttpOnly; SameSite=Strict\(secure)"
        )
    }

    private func mac(_ number: [UInt8], _ typed: String) -> [UInt8] {
        SHA256.authenticate(number + [UInt8](typed.lowercased().utf8), key: key.bytes)
    }

    private static func value(in request: Request) -> String? {
        for header in request.headers where header.name == "cookie" {
            for part in header.value.split(separator: ";") {
                let pair = part.drop { $0 == " " }.split(separator: "=", maxSplits: 1)
                if pair.count == 2, pair[0] == cookie { return String(pair[1]) }
            }
        }
        return nil
    }
}
