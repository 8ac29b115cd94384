import Access
import Primitives

enum PasskeyKind {}
typealias PasskeyID = ID<PasskeyKind>

/// A registered passkey. It performs no I/O and reads no clock.
struct Passkey {
    static let limitPerAccount = 20

    let id: PasskeyID
    let account: AccountID
    let credential: [UInt8]
    let key: PasskeyKey
    private(set) var signCount: Int64
    let createdAt: Timestamp
    var lastUsedAt: Timestamp?

    init(id: PasskeyID, account: AccountID, credential: [UInt8], key: PasskeyKey, signCount: Int64, createdAt: Timestamp, lastUsedAt: Timestamp? = nil) {
        self.id = id
        self.account = account
        self.credential = credential
        self.key = key
        self.signCount = signCount
        self.createdAt = createdAt
        self.lastUsedAt = lastUsedAt
    }

    /// WebAuthn 7.1 with attestation "none": an attestation statement, if there is one, is not read, because we
    /// trust no maker more than another.
    static func register(
        _ attestation: [UInt8], _ client: ClientData, for account: AccountID, of party: RelyingParty, at now: Timestamp
    ) throws(PasskeyError) -> Passkey {
        guard attestation.count <= 16_384, let object = try? CBOR.first(in: attestation).value,
            case .bytes(let data)? = object["authData"]
        else { throw .malformed }
        let authenticator = try AuthenticatorData(data, of: party)
        guard let credential = authenticator.credential else { throw .malformed }
        return Passkey(
            id: PasskeyID(), account: account, credential: credential.id, key: try PasskeyKey(cose: credential.key),
            signCount: authenticator.signCount, createdAt: now)
    }

    /// WebAuthn 7.2: the device has the key, the person is there and verified, and nobody has a copy.
    mutating func assert(
        _ data: [UInt8], _ client: ClientData, signature: [UInt8], of party: RelyingParty, at now: Timestamp
    ) throws(PasskeyError) {
        let authenticator = try AuthenticatorData(data, of: party)
        guard key.verify(signature, of: data + client.hash) else { throw .wrongSignature }
        let counts = authenticator.signCount > 0 || signCount > 0
        guard !counts || authenticator.signCount > signCount else { throw .cloned }
        signCount = authenticator.signCount
        lastUsedAt = now
    }
}
