import Cryptography
import JSON
import Primitives

/// What a token says, in our words: the claims of RFC 9068 (`typ: at+jwt`) and our own short ones.
package struct AccessToken: Sendable {
    package static let type = "at+jwt"
    /// The longest a token may live: what `Revocations` must remember.
    package static let longestLife: Duration = .seconds(900)

    package let account: AccountID
    package let tenant: TenantID
    package let roles: Set<Role>
    package let session: ID<SessionKind>
    package let location: LocationID
    package let zone: String
    package let currency: Currency
    package let patient: PatientID?
    package let issuedAt: Timestamp
    package let expiresAt: Timestamp
    /// When the person last proved who they are (`auth_time` of OpenID Connect): refreshing never moves it. Nil in a
    /// token that does not say, which is never recent enough.
    package let authenticatedAt: Timestamp?
    package let assurance: Assurance
    /// Nil for the tokens of first-party sign-ins.
    package let grant: Grant?
    /// The patients this person acts for, beside their own record.
    package let actsFor: [PatientID]

    package init(
        account: AccountID, tenant: TenantID, roles: Set<Role>, session: ID<SessionKind>, location: LocationID,
        zone: String, currency: Currency, patient: PatientID?, issuedAt: Timestamp, expiresAt: Timestamp,
        authenticatedAt: Timestamp? = nil, assurance: Assurance = .single,
        grant: Grant? = nil, actsFor: [PatientID] = []
    ) {
        self.account = account
        self.tenant = tenant
        self.roles = roles
        self.session = session
        self.location = location
        self.zone = zone
        self.currency = currency
        self.patient = patient
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
        self.authenticatedAt = authenticatedAt
        self.assurance = assurance
        self.grant = grant
        self.actsFor = actsFor
    }

    func principal(bearer: String) -> Principal {
        Principal(
            account: account, tenant: tenant, roles: roles, session: session, location: location, zone: zone,
            currency: currency, patient: patient, bearer: bearer, authenticatedAt: authenticatedAt,
            assurance: assurance, grant: grant, actsFor: actsFor)
    }

    /// Reads the claims; nil when one is missing or no value of its kind, an unknown role included.
    init?(claims: JSONObject, grant: Grant?) {
        self.grant = grant
        do {
            account = try claims.required("sub")
            tenant = try claims.required("tid")
            let roles = try claims.required("roles", as: [Role].self)
            self.roles = Set(roles)
            session = try claims.required("sid")
            location = try claims.required("loc")
            zone = try claims.required("zone")
            currency = try claims.required("cur")
            patient = try claims.optional("pat")
            guard let issued = Timestamp(numericDate: try claims.required("iat")),
                let expires = Timestamp(numericDate: try claims.required("exp"))
            else { return nil }
            issuedAt = issued
            expiresAt = expires
            authenticatedAt = try claims.optional("auth_time").flatMap { Timestamp(numericDate: $0) }
            assurance = try claims.optional("acr") ?? .single
            actsFor = try claims.optional("for") ?? []
        } catch { return nil }
    }

    func write(claims json: inout JSONWriter, issuer: String, audience: String) {
        json.object {
            $0.field("iss", issuer)
            if let grant {
                $0.field("aud", grant.services.sorted().map(Grant.resource))
                $0.field("client_id", grant.client)
                $0.field("scope", Scope.text(grant.scopes))
                if grant.isOwn { $0.field("own", true) }
            } else {
                $0.field("aud", audience)
            }
            $0.field("sub", account)
            $0.field("tid", tenant)
            $0.field("roles", Role.allCases.filter { roles.contains($0) })
            $0.field("sid", session)
            $0.field("loc", location)
            $0.field("zone", zone)
            $0.field("cur", currency)
            $0.field("pat", patient)
            $0.field("jti", ID<AccessToken>())
            $0.field("iat", issuedAt.numericDate)
            $0.field("exp", expiresAt.numericDate)
            $0.field("auth_time", authenticatedAt?.numericDate)
            $0.field("acr", assurance)
            if !actsFor.isEmpty { $0.field("for", actsFor) }
        }
    }
}

/// NumericDate of RFC 7519: seconds, here with milliseconds, because a token issued within the second after its
/// account was changed must count and one issued before must not.
extension Timestamp {
    var numericDate: Double { Double(microseconds / 1000) / 1000 }

    init?(numericDate seconds: Double) {
        guard seconds > 0, seconds < 10_000_000_000, let ms = Int64(exactly: (seconds * 1000).rounded()) else { return nil }
        self.init(microseconds: ms * 1000)
    }
}

/// Writes and signs access tokens. Only auth holds a signing key.
package struct TokenMint: Sendable {
    private let key: SigningKey
    private let header: String
    private let issuer: String
    private let audience: String
    private let publicIssuer: String
    private let idTokenHeader: String

    /// `publicIssuer` is the OpenID Connect issuer: the address of the gateway as clients see it.
    package init(
        key: SigningKey, issuer: String = TokenVerifier.issuer, audience: String = TokenVerifier.audience,
        publicIssuer: String = TokenVerifier.issuer
    ) {
        self.key = key
        self.issuer = issuer
        self.audience = audience
        self.publicIssuer = publicIssuer
        header = Self.header(AccessToken.type, key)
        idTokenHeader = Self.header("JWT", key)
    }

    private static func header(_ type: String, _ key: SigningKey) -> String {
        var json = JSONWriter()
        json.object {
            $0.field("alg", "ES256")
            $0.field("typ", type)
            $0.field("kid", key.verifying.id)
        }
        return Base64URL.encode(json.bytes)
    }

    /// What the tokens of this mint are verified with.
    package var keyID: String { key.verifying.id }

    package func sign(_ token: AccessToken) throws -> String {
        var json = JSONWriter()
        token.write(claims: &json, issuer: token.grant == nil ? issuer : publicIssuer, audience: audience)
        return try seal(header, json.bytes)
    }

    /// An ID token (OpenID Connect Core 2): its type differs, so no service takes it for an access token.
    package func sign(idToken claims: [UInt8]) throws -> String { try seal(idTokenHeader, claims) }

    private func seal(_ header: String, _ claims: [UInt8]) throws -> String {
        let signed = header + "." + Base64URL.encode(claims)
        return signed + "." + Base64URL.encode(try key.sign([UInt8](signed.utf8)))
    }
}
