import Access
import Cryptography
import JSON
import Primitives

/// An ID token of ours that comes back at signing out (OpenID Connect RP-Initiated Logout 2): it says which client
/// asks and whose session is meant. It may have expired.
struct IDTokenHint: Sendable {
    let client: ClientID
    /// Nil when its key has been retired since: then it only says who asks, as `client_id` does, and the person is asked.
    let session: BrowserSessionID?

    init?(_ text: String, _ keys: KeySet, issuer: String) {
        guard text.utf8.count <= 4096 else { return nil }
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Self.object(parts[0]), header["alg"] == .string("ES256"),
            header["typ"] == .string("JWT"), case .string(let kid)? = header["kid"],
            let signature = Base64URL.decode(parts[2]), let claims = Self.object(parts[1]), claims["iss"] == .string(issuer),
            let client = try? claims.required("aud", as: ClientID.self),
            let session = try? claims.required("sid", as: BrowserSessionID.self)
        else { return nil }
        self.client = client
        guard let key = keys[kid] else {
            self.session = nil
            return
        }
        guard key.verify(signature, of: [UInt8](text.utf8.dropLast(parts[2].count + 1))) else { return nil }
        self.session = session
    }

    private static func object(_ segment: Substring.UTF8View) -> JSONObject? {
        guard let bytes = Base64URL.decode(segment), let value = try? JSONValue.parse(bytes, maxDepth: 8) else { return nil }
        return JSONObject(json: value)
    }
}
