@testable import Access
import Cryptography
import JSON
import Primitives

/// Tokens and key sets. The first byte chooses: a bearer as it came; claims or a header of the fuzzer's, signed by us,
/// so that it gets past the signature; a JWKS document. Signing and verifying cost ten times what reading does, so only
/// one in sixteen, by length, is signed: of the others the claims are read as behind a signature, and a header has a bad one. `KID` in a header is our key's identifier, which no input knows.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = Input(start, count)
    let choice = input.byte()
    guard let key else { fatalError("no key") }
    switch choice % 4 {
    case 0:
        guard let bearer = input.text else { return 0 }
        must((try? TokenVerifier.verify(bearer, keys, at: now)) == nil, "nobody forges a signature")
    case 1 where count % 16 != 0:
        guard let claims = (try? JSONValue.parse(input.rest)).flatMap({ JSONObject(json: $0) }),
            let token = try? TokenVerifier.token(claims, at: now, publicIssuer: "https://clinic.example")
        else { return 0 }
        check(token)
    case 2 where count % 16 != 0:
        let bearer = Base64URL.encode(input.rest) + "." + Base64URL.encode(claims) + "." + Base64URL.encode([UInt8](repeating: 0, count: 64))
        must((try? TokenVerifier.verify(bearer, keys, at: now)) == nil, "zeros sign nothing")
    case 1: verify(header(key), input.rest, key)
    case 2: verify(input.text.map { Array($0.replacing("KID", with: key.verifying.id).utf8) } ?? input.rest, claims, key)
    default: _ = try? KeySet(jwks: input.rest)
    }
    return 0
}

private let now = Timestamp(microseconds: 1_795_190_400_000_000)
private let key = try? SigningKey.generate()
private let keys = KeySet(key.map { [$0.verifying] } ?? [])
private func header(_ key: SigningKey) -> [UInt8] { Array(#"{"alg":"ES256","typ":"at+jwt","kid":"\#(key.verifying.id)"}"#.utf8) }
private let claims = Array(
    #"{"iss":"polyclinic","aud":"polyclinic","sub":"01934500-0000-7000-8000-000000000001","tid":"01934500-0000-7000-8000-000000000002","roles":["doctor"],"sid":"01934500-0000-7000-8000-000000000003","loc":"01934500-0000-7000-8000-000000000004","zone":"Asia/Kolkata","cur":"INR","iat":1795190400,"exp":1795190900}"#.utf8)

private func verify(_ header: [UInt8], _ claims: [UInt8], _ key: SigningKey) {
    let signed = Base64URL.encode(header) + "." + Base64URL.encode(claims)
    guard let signature = try? key.sign(Array(signed.utf8)),
        let token = try? TokenVerifier.verify(
            signed + "." + Base64URL.encode(signature), keys, at: now, publicIssuer: "https://clinic.example")
    else { return }
    let named = (try? JSONValue.parse(header)).flatMap { JSONObject(json: $0) }?.members.map(\.name)
    must(named?.sorted() == ["alg", "kid", "typ"], "a header says these three things and nothing else")
    check(token)
}

private func check(_ token: AccessToken) {
    must(token.grant?.services.isEmpty != true, "what a client was given is for some service")
    must(token.grant?.client.isEmpty != true, "and for some client")
    must(!token.roles.isEmpty, "a token has a role")
    must(token.issuedAt < token.expiresAt, "a token ends after it began")
    must(token.expiresAt.seconds(since: token.issuedAt) <= 900, "no token lives longer than a quarter of an hour")
    must(now < token.expiresAt.adding(seconds: 30), "an expired token is refused")
    must(token.issuedAt <= now.adding(seconds: 30), "a token of the future is refused")
}
