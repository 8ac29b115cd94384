import Access
import Cryptography
import JSON
import Primitives

extension AccessToken {
    static let now = Timestamp(microseconds: 1_795_190_400_123_000)

    static func sample(
        roles: Set<Role> = [.doctor], issuedAt: Timestamp = now, life: Int64 = 600, account: AccountID = AccountID()
    ) -> AccessToken {
        AccessToken(
            account: account, tenant: TenantID(), roles: roles, session: ID(), location: LocationID(),
            zone: "Asia/Kolkata", currency: .inr, patient: nil, issuedAt: issuedAt,
            expiresAt: issuedAt.adding(seconds: life))
    }
}

/// A token with any header, any claims and any signature: what a forger would send.
struct Forgery {
    var header = JSONObject([("alg", .string("ES256")), ("typ", .string("at+jwt"))])
    var claims: JSONObject

    init(keyID: String) {
        header["kid"] = .string(keyID)
        let now = AccessToken.now.microseconds / 1_000_000
        claims = JSONObject([
            ("iss", .string("polyclinic")), ("aud", .string("polyclinic")),
            ("sub", .string(AccountID().description)), ("tid", .string(TenantID().description)),
            ("roles", .array([.string("admin")])), ("sid", .string(AccountID().description)),
            ("loc", .string(LocationID().description)), ("zone", .string("Asia/Kolkata")), ("cur", .string("INR")),
            ("jti", .string("1")), ("iat", .int(now)), ("exp", .int(now + 600)),
        ])
    }

    var signed: String { Base64URL.encode(header.jsonBytes) + "." + Base64URL.encode(claims.jsonBytes) }

    func token(by key: SigningKey) throws -> String {
        signed + "." + Base64URL.encode(try key.sign([UInt8](signed.utf8)))
    }
}
