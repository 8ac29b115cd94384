import Cryptography
import Glibc
import HTTP
import JSON
import Loop
import Primitives

/// Decides who is behind a bearer token (RFC 8725, RFC 9068): ES256 under a pinned key or nothing.
///
/// `alg`, `typ`, issuer and audience are fixed, `kid` only chooses among the pinned keys, and a header that brings
/// or points to a key (`jwk`, `jku`, `x5u` …) or asks for extensions (`crit`) is refused.
@LoopActor package final class TokenVerifier {
    package nonisolated static let issuer = "polyclinic"
    package nonisolated static let audience = "polyclinic"
    /// How far the clocks of two machines may differ.
    package nonisolated static let leeway: Int64 = 30

    package private(set) var keys: KeySet
    private let revocations: Revocations
    private let service: String
    private let publicIssuer: String?
    private var verified = VerifiedTokens()
    /// Asked when a token names a key that is not pinned: whether there are other keys now. It must bound itself.
    package var reloadKeys: (@LoopActor () -> Bool)?

    /// `service` is whom tokens given to clients must be meant for, `publicIssuer` who may have given them; without
    /// one only first-party tokens are taken.
    package nonisolated init(
        keys: KeySet, revocations: Revocations, service: String = "", publicIssuer: String? = nil
    ) {
        self.keys = keys
        self.revocations = revocations
        self.service = service
        self.publicIssuer = publicIssuer
    }

    /// Pins other keys. What was verified before is forgotten, so that a retired key's tokens are refused.
    package func pin(_ keys: KeySet) {
        self.keys = keys
        verified = VerifiedTokens()
    }

    /// The caller of this request, or why there is none. `forCards`: another service asks on a person's behalf, so
    /// the token may be meant for that one.
    package func principal(
        of request: Request, at now: Timestamp, forCards: Bool = false
    ) throws(TokenRefusal) -> Principal {
        var authorization: String?
        for header in request.headers where header.name == "authorization" {
            guard authorization == nil else { throw .invalid }  // Two say two things.
            authorization = header.value
        }
        guard let authorization else { throw .missing }

        let key = VerifiedTokens.Key(text: authorization)
        let entry: VerifiedTokens.Entry
        if let known = verified[key] {
            entry = known
        } else {
            guard authorization.prefix(7).lowercased() == "bearer " else { throw .missing }
            let bearer = String(authorization.dropFirst(7))
            guard bearer.utf8.count <= 4096 else { throw .invalid }
            let token = try verify(bearer, at: now)
            entry = VerifiedTokens.Entry(
                principal: token.principal(bearer: bearer), issuedAt: token.issuedAt, expiresAt: token.expiresAt)
            verified.insert(entry, for: key)
        }

        guard now < entry.expiresAt.adding(seconds: Self.leeway) else { throw .expired }
        guard !revocations.voids(entry.principal, issuedAt: entry.issuedAt) else { throw .revoked }
        guard forCards || entry.principal.grant?.services.contains(service) ?? true else { throw .invalid }
        return entry.principal
    }

    /// A token's claims by the keys of now, whomever it is meant for; it may have been revoked.
    package func verify(_ bearer: String, at now: Timestamp) throws(TokenRefusal) -> AccessToken {
        do {
            return try Self.verify(bearer, keys, at: now, publicIssuer: publicIssuer)
        } catch {
            guard error == .invalid, namesUnknownKey(bearer), reloadKeys?() == true else { throw error }
            return try Self.verify(bearer, keys, at: now, publicIssuer: publicIssuer)
        }
    }

    /// Whether what this token says was withdrawn since.
    package func isRevoked(_ token: AccessToken) -> Bool {
        revocations.voids(token.principal(bearer: ""), issuedAt: token.issuedAt)
    }

    /// Whether the owner of this token would still be let in: asked of what stays open after its request was.
    package func stillAdmits(_ token: AccessToken, at now: Timestamp) -> Bool {
        now < token.expiresAt && !isRevoked(token)
    }

    private func namesUnknownKey(_ bearer: String) -> Bool {
        let head = bearer.utf8.prefix { $0 != UInt8(ascii: ".") }
        guard let header = Self.object(head), case .string(let kid)? = header["kid"] else { return false }
        return keys[kid] == nil
    }

    /// The checks that never change for the same bytes, and the dates.
    package nonisolated static func verify(
        _ bearer: String, _ keys: KeySet, at now: Timestamp, publicIssuer: String? = nil
    ) throws(TokenRefusal) -> AccessToken {
        let parts = bearer.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Self.object(parts[0]),
            header["alg"] == .string("ES256"), header["typ"] == .string(AccessToken.type),
            case .string(let kid)? = header["kid"],
            !header.members.contains(where: { !["alg", "typ", "kid"].contains($0.name) })
        else { throw .invalid }
        guard let key = keys[kid], let signature = Base64URL.decode(parts[2]),
            key.verify(signature, of: [UInt8](bearer.utf8.dropLast(parts[2].count + 1)))
        else { throw .invalid }

        guard let claims = Self.object(parts[1]) else { throw .invalid }
        return try Self.token(claims, at: now, publicIssuer: publicIssuer)
    }

    /// What signed claims come to.
    nonisolated static func token(
        _ claims: JSONObject, at now: Timestamp, publicIssuer: String?
    ) throws(TokenRefusal) -> AccessToken {
        let grant = try Self.grant(claims, publicIssuer)
        guard let token = AccessToken(claims: claims, grant: grant), !token.roles.isEmpty else { throw .invalid }
        let latest = now.adding(seconds: leeway)
        guard token.issuedAt <= latest, token.issuedAt < token.expiresAt,
            token.expiresAt <= token.issuedAt.adding(seconds: AccessToken.longestLife.components.seconds)
        else { throw .invalid }
        if let notBefore = claims["nbf"] {
            guard let seconds = Double(json: notBefore), let time = Timestamp(numericDate: seconds), time <= latest else {
                throw .invalid
            }
        }
        guard now < token.expiresAt.adding(seconds: leeway) else { throw .expired }
        return token
    }

    /// Issuer and audience: the suite's own, without a client; or the public issuer's, for a client and services.
    private nonisolated static func grant(
        _ claims: JSONObject, _ publicIssuer: String?
    ) throws(TokenRefusal) -> Grant? {
        if claims["iss"] == .string(issuer) {
            guard claims["aud"] == .string(audience), !claims.has("client_id"), !claims.has("scope") else { throw .invalid }
            return nil
        }
        guard let publicIssuer, claims["iss"] == .string(publicIssuer),
            case .string(let client)? = claims["client_id"], !client.isEmpty, case .string(let scope)? = claims["scope"],
            case .array(let audience)? = claims["aud"], !audience.isEmpty
        else { throw .invalid }
        var services: Set<String> = []
        for value in audience {
            guard case .string(let resource) = value, let name = Grant.service(resource) else { throw .invalid }
            services.insert(name)
        }
        return Grant(client: client, scopes: Scope.list(scope), services: services, isOwn: claims["own"] == .bool(true))
    }

    /// One segment: our JSON reader refuses what two readers could understand differently, such as a name twice.
    private nonisolated static func object(_ segment: Substring.UTF8View) -> JSONObject? {
        guard let bytes = Base64URL.decode(segment), let value = try? JSONValue.parse(bytes, maxDepth: 8) else { return nil }
        return JSONObject(json: value)
    }
}

/// Tokens that were verified before: a signature costs 50 µs to check, a look-up less than one.
///
/// Two generations bound it without a clock: when the young one is full it becomes the old one, and what nobody
/// asked for since is dropped with the one before.
struct VerifiedTokens {
    struct Entry {
        let principal: Principal
        let issuedAt: Timestamp
        let expiresAt: Timestamp
    }

    /// The header's value, compared and hashed by its bytes: what Unicode holds for equal is another token, and
    /// `String`'s own hashing, which must honour Unicode, costs several times as much.
    struct Key: Hashable {
        let text: String

        static func == (a: Key, b: Key) -> Bool {
            a.text.utf8.withContiguousStorageIfAvailable { a in
                b.text.utf8.withContiguousStorageIfAvailable { b in
                    guard a.count == b.count, let first = a.baseAddress, let second = b.baseAddress else { return false }
                    return memcmp(first, second, a.count) == 0
                }
            } == .some(.some(true))
        }

        func hash(into hasher: inout Hasher) {
            // Native strings, such as all that come from a request, are contiguous; one that is not finds nothing.
            text.utf8.withContiguousStorageIfAvailable { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        }
    }

    private let generation: Int
    private var young: [Key: Entry] = [:]
    private var old: [Key: Entry] = [:]

    init(limit: Int = 10_000) { generation = max(1, limit / 2) }

    subscript(_ key: Key) -> Entry? {
        mutating get {
            if let entry = young[key] { return entry }
            guard let entry = old[key] else { return nil }
            insert(entry, for: key)
            return entry
        }
    }

    mutating func insert(_ entry: Entry, for key: Key) {
        if young.count >= generation {
            old = young
            young = [:]
        }
        young[key] = entry
    }

    var count: Int { young.count + old.count }
}
