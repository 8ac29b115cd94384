import Bootstrap
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

    private let keys: RotatingKeys
    private let isSecure: Bool

    init(keys: RotatingKeys, isSecure: Bool) {
        self.keys = keys
        self.isSecure = isSecure
    }

    /// Where an attempt for `typed` comes from, as failures are counted: a browser that we know, or an address.
    func origin(of request: Request, for typed: String) -> (name: String, isKnown: Bool) {
        for shown in Self.values(in: request) {
            guard let bytes = Base64URL.decode(shown), bytes.count == 48,
                chain.isAuthentic([UInt8](bytes[16...]), of: Self.message([UInt8](bytes[..<16]), typed))
            else { continue }
            return ("device|\(Base64URL.encode([UInt8](bytes[..<16])))", true)
        }
        return (request.network, false)
    }

    /// The `Set-Cookie` of a successful sign-in: for every door of ours, because all of them count the same guesses.
    func header(for typed: String) -> (name: String, value: String) {
        let number = Random.bytes(16)
        let value = Base64URL.encode(number + chain.authenticate(Self.message(number, typed)))
        let secure = isSecure ? "; Secure" : ""
        return (
            "Set-Cookie",
            "\(Self.cookie)=\(value); Path=/; Max-Age=\(Self.year); HttpOnly; SameSite=Strict\(secure)"
        )
    }

    private var chain: KeyChain { keys.keys(for: "known devices") }

    private static func message(_ number: [UInt8], _ typed: String) -> [UInt8] {
        number + [UInt8](EmailIndex.name(typed).utf8)
    }

    /// A browser may show two: an older one that was for a part of us only, too.
    private static func values(in request: Request) -> [String] {
        var found: [String] = []
        for header in request.headers where header.name == "cookie" {
            for part in header.value.split(separator: ";") {
                let pair = part.drop { $0 == " " }.split(separator: "=", maxSplits: 1)
                if pair.count == 2, pair[0] == cookie, found.count < 4 { found.append(String(pair[1])) }
            }
        }
        return found
    }
}
