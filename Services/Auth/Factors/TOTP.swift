import Cryptography
import Primitives

/// Time-based one-time codes (RFC 6238) as authenticator apps make them: HMAC-SHA-1, 6 digits, 30 seconds.
///
/// A code of the step before or after is taken too, because phones' clocks differ: 90 seconds in all, where ASVS
/// 6.5.5 would have 30. What makes up for it is that a step is taken once and never goes back.
struct TOTP: Sendable {
    static let period: Int64 = 30
    /// RFC 4226 section 4 asks for 128 bits and recommends 160.
    static let secretLength = 20

    let secret: [UInt8]

    init(secret: [UInt8] = Random.bytes(TOTP.secretLength)) { self.secret = secret }

    static func step(at now: Timestamp) -> Int64 { now.microseconds / (period * 1_000_000) }

    /// RFC 4226 section 5.3.
    func code(at step: Int64) -> String {
        let counter = (0..<8).map { UInt8(truncatingIfNeeded: step >> Int64(56 - $0 * 8)) }
        let mac = SHA1.authenticate(counter, key: secret)
        let offset = Int(mac[19] & 0x0f)
        let number = mac[offset..<offset + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7fff_ffff
        let digits = String(number % 1_000_000)
        return String(repeating: "0", count: 6 - digits.count) + digits
    }

    /// The step whose code this is: the present one, or one beside it. All three are compared, whichever it is.
    func step(of code: String, at now: Timestamp) -> Int64? {
        let given = [UInt8](code.utf8)
        let present = Self.step(at: now)
        var found: Int64?
        for step in [present - 1, present + 1, present] where constantTimeEqual(given, [UInt8](self.code(at: step).utf8)) {
            found = step
        }
        return found
    }

    /// What the QR code of an enrolment holds (Key URI format).
    func uri(issuer: String, account: String) -> String {
        let issuer = Self.escaped(issuer)
        return "otpauth://totp/\(issuer):\(Self.escaped(account))?secret=\(Base32.encode(secret))&issuer=\(issuer)"
            + "&algorithm=SHA1&digits=6&period=30"
    }

    private static func escaped(_ text: String) -> String {
        let plain = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~@".utf8)
        let hex = Array("0123456789ABCDEF")
        return text.utf8.map { byte in
            plain.contains(byte) ? String(UnicodeScalar(byte)) : "%\(hex[Int(byte >> 4)])\(hex[Int(byte & 15)])"
        }.joined()
    }
}

/// RFC 4648 section 6 without padding: how a secret is typed by hand.
enum Base32 {
    private static let alphabet = [UInt8]("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)

    /// In groups of four, as people read it aloud; apps take no notice of the spaces.
    static func grouped(_ bytes: [UInt8]) -> String {
        let letters = encode(bytes)
        return stride(from: 0, to: letters.count, by: 4).map { String(letters.dropFirst($0).prefix(4)) }.joined(separator: " ")
    }

    static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        var bits: UInt32 = 0
        var pending: UInt32 = 0
        for byte in bytes {
            bits = (bits << 8 | UInt32(byte)) & 0xfff
            pending += 8
            while pending >= 5 {
                pending -= 5
                text.append(alphabet[Int(bits >> pending & 31)])
            }
        }
        if pending > 0 { text.append(alphabet[Int(bits << (5 - pending) & 31)]) }
        return String(decoding: text, as: UTF8.self)
    }
}
