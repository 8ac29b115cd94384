import Access
import Bootstrap
import Cryptography
import JSON
import Loop
import Postgres
import Primitives

/// The two ceremonies, with what they need from the database.
@LoopActor struct Passkeys {
    let host: Host
    let party: RelyingParty
    let challenges: Challenges

    /// What a browser answers when it was asked to sign (WebAuthn 5.2.2), decoded.
    struct Assertion {
        let credential: [UInt8]
        let clientData: [UInt8]
        let authenticatorData: [UInt8]
        let signature: [UInt8]

        init(_ body: JSONObject) throws {
            credential = try Passkeys.bytes("credentialId", of: body)
            clientData = try Passkeys.bytes("clientDataJSON", of: body)
            authenticatorData = try Passkeys.bytes("authenticatorData", of: body)
            signature = try Passkeys.bytes("signature", of: body)
        }
    }

    nonisolated static func bytes(_ name: String, of body: JSONObject) throws -> [UInt8] {
        guard let bytes = Base64URL.decode(try body.required(name, as: String.self)) else { throw PasskeyError.malformed }
        return bytes
    }

    /// A new passkey for `account`, which asked for the challenge.
    func register(_ body: JSONObject, for account: AccountID, _ tx: Transaction) async throws -> Passkey {
        let now = host.now()
        let client = try ClientData(Self.bytes("clientDataJSON", of: body), type: "webauthn.create", of: party)
        try await spend(client, for: .register(account), at: now, tx)
        let passkey = try Passkey.register(
            Self.bytes("attestationObject", of: body), client, for: account, of: party, at: now)
        let store = PasskeyStore(sql: tx)
        guard try await store.list(of: account).count < Passkey.limitPerAccount else { throw PasskeyError.tooMany }
        try await store.insert(passkey)
        return passkey
    }

    /// Checks that the owner of one of `account`'s passkeys is there.
    func assert(_ assertion: Assertion, of account: AccountID, _ tx: Transaction) async throws {
        let now = host.now()
        let client = try ClientData(assertion.clientData, type: "webauthn.get", of: party)
        try await spend(client, for: .signIn, at: now, tx)
        let store = PasskeyStore(sql: tx)
        guard var passkey = try await store.findForUpdate(assertion.credential, of: account) else {
            throw PasskeyError.unknown
        }
        try passkey.assert(
            assertion.authenticatorData, client, signature: assertion.signature, of: party, at: now)
        try await store.used(passkey)
    }

    /// A challenge is spent by being answered rightly: a refusal rolls this back, and wins the answerer nothing.
    private func spend(
        _ client: ClientData, for purpose: Challenges.Purpose, at now: Timestamp, _ tx: Transaction
    ) async throws {
        guard challenges.isValid(client.challenge, for: purpose, at: now),
            try await SpentChallengeStore(sql: tx).spend(client.challenge, at: now)
        else { throw PasskeyError.wrongChallenge }
    }
}

/// Where a passkey's account is: what the authenticator keeps as the user's handle, and hands back when asked to sign.
/// Random bytes to everybody else.
struct UserHandle: Equatable {
    let tenant: TenantID
    let account: AccountID

    init(tenant: TenantID, account: AccountID) {
        self.tenant = tenant
        self.account = account
    }

    init?(_ bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        tenant = ID(bytes: bytes[0..<16])
        account = ID(bytes: bytes[16..<32])
    }

    var bytes: [UInt8] { tenant.bytes + account.bytes }
}
