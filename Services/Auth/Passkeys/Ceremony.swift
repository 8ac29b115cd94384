import Cryptography
import JSON

/// Who we are to a browser: the domain passkeys are bound to, and the pages that may use them.
struct RelyingParty: Sendable {
    /// A domain, without scheme and port.
    let id: String
    /// `https://clinic.example`; a port of `*` is any, for machines that are not on a network.
    let origins: [String]

    func allows(_ origin: String) -> Bool {
        origins.contains { allowed in
            guard allowed.hasSuffix(":*") else { return allowed == origin }
            let rest = origin.dropFirst(allowed.count - 1)
            return origin.hasPrefix(allowed.dropLast(1)) && !rest.isEmpty && rest.utf8.allSatisfy { (0x30...0x39).contains($0) }
        }
    }
}

/// Why a ceremony failed. The client learns one thing only; these are for us and our tests.
enum PasskeyError: Error, Equatable {
    case malformed
    case wrongType
    case wrongOrigin
    /// Not ours, too old, answered before, or for somebody else.
    case wrongChallenge
    case wrongParty
    /// The person was not there or was not verified.
    case notVerified
    case unsupportedKey
    case wrongSignature
    /// The counter went back: there is a copy of the key.
    case cloned
    case unknown
    case registeredAlready
    case tooMany
}

/// What the browser says it was asked (WebAuthn 5.8.1), checked against what we asked.
struct ClientData {
    let challenge: [UInt8]
    let hash: [UInt8]

    init(_ bytes: [UInt8], type: String, of party: RelyingParty) throws(PasskeyError) {
        guard bytes.count <= 4096, case .object(let data) = try? JSONValue.parse(bytes, maxDepth: 8) else { throw .malformed }
        guard data["type"] == .string(type) else { throw .wrongType }
        guard case .string(let origin)? = data["origin"], party.allows(origin),
            data["crossOrigin"] ?? .bool(false) == .bool(false)
        else { throw .wrongOrigin }
        guard case .string(let text)? = data["challenge"], let challenge = Base64URL.decode(text) else { throw .malformed }
        self.challenge = challenge
        hash = SHA256.digest(bytes)
    }
}

/// What the authenticator signs (WebAuthn 6.1).
struct AuthenticatorData {
    let signCount: Int64
    /// Only at registration.
    let credential: (id: [UInt8], key: [UInt8])?

    private static let userPresent: UInt8 = 1
    private static let userVerified: UInt8 = 4
    private static let attested: UInt8 = 0x40

    init(_ bytes: [UInt8], of party: RelyingParty) throws(PasskeyError) {
        guard (37...4096).contains(bytes.count) else { throw .malformed }
        guard constantTimeEqual([UInt8](bytes[..<32]), SHA256.digest([UInt8](party.id.utf8))) else { throw .wrongParty }
        let flags = bytes[32]
        guard flags & Self.userPresent != 0, flags & Self.userVerified != 0 else { throw .notVerified }
        signCount = bytes[33..<37].reduce(0) { $0 << 8 | Int64($1) }
        guard flags & Self.attested != 0 else {
            credential = nil
            return
        }
        // AAGUID (16), length (2), id, COSE key; extensions may follow and are not read.
        guard bytes.count >= 55 else { throw .malformed }
        let length = Int(bytes[53]) << 8 | Int(bytes[54])
        guard (1...1023).contains(length), bytes.count > 55 + length else { throw .malformed }
        credential = (id: [UInt8](bytes[55..<55 + length]), key: [UInt8](bytes[(55 + length)...]))
    }
}

/// A passkey's public key: ES256 (every phone and laptop) or EdDSA.
enum PasskeyKey {
    case es256(VerifyingKey)
    case edDSA(Ed25519Key)

    static let algorithms: [Int64] = [-7, -8]

    /// From a COSE key (RFC 9053).
    init(cose bytes: [UInt8]) throws(PasskeyError) {
        guard let key = try? CBOR.first(in: bytes).value else { throw .malformed }
        switch (key[1], key[3], key[-1]) {
        case (.int(2), .int(-7), .int(1)):
            guard case .bytes(let x)? = key[-2], case .bytes(let y)? = key[-3], x.count == 32, y.count == 32 else { throw .malformed }
            try self.init(algorithm: -7, stored: [4] + x + y)
        case (.int(1), .int(-8), .int(6)):
            guard case .bytes(let x)? = key[-2] else { throw .malformed }
            try self.init(algorithm: -8, stored: x)
        default: throw .unsupportedKey
        }
    }

    /// From what is kept: `04 ‖ x ‖ y`, or the 32 bytes of an Ed25519 key.
    init(algorithm: Int64, stored: [UInt8]) throws(PasskeyError) {
        switch algorithm {
        case -7:
            guard let key = VerifyingKey(point: stored) else { throw .unsupportedKey }
            self = .es256(key)
        case -8:
            guard let key = Ed25519Key(stored) else { throw .unsupportedKey }
            self = .edDSA(key)
        default: throw .unsupportedKey
        }
    }

    var algorithm: Int64 {
        switch self {
        case .es256: -7
        case .edDSA: -8
        }
    }

    var stored: [UInt8] {
        switch self {
        case .es256(let key): key.point
        case .edDSA(let key): key.bytes
        }
    }

    func verify(_ signature: [UInt8], of message: [UInt8]) -> Bool {
        switch self {
        case .es256(let key): key.verify(der: signature, of: message)
        case .edDSA(let key): key.verify(signature, of: message)
        }
    }
}
