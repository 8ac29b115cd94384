import Access
import HTTP
import Postgres
import Primitives

typealias ClientID = ID<Client>

/// An application that may ask for tokens (RFC 6749 2).
///
/// Every rule about a client is in this file. It performs no I/O and reads no clock.
struct Client: Equatable, Sendable {
    enum GrantType: String, CaseIterable, Sendable, SQLBindable, SQLReadable {
        case authorizationCode = "authorization_code"
        case refreshToken = "refresh_token"
        case clientCredentials = "client_credentials"
    }

    let id: ClientID
    private(set) var name: String
    private(set) var secretHash: Bytes?
    private(set) var redirectURIs: [String]
    private(set) var postLogoutURIs: [String]
    private(set) var grantTypes: Set<GrantType>
    private(set) var scopes: Set<Scope>
    private(set) var roles: Set<Role>
    let location: LocationID
    private(set) var asksConsent: Bool
    let isPairwise: Bool
    /// Sealed: what its pairwise subjects are made with. Nil for one that has none, or none of its own yet.
    let subjectKey: Bytes?
    private(set) var isActive: Bool
    let version: Int
    let createdAt: Timestamp

    var isPublic: Bool { secretHash == nil }

    /// What machines may be: any staff's work, and services, but nobody's patient.
    static let assignable = Permission.staff.union([.service, .display])

    /// What an administrator may write; nil leaves it as it is.
    struct Change: Sendable {
        var name: String?
        var redirectURIs: [String]?
        var postLogoutURIs: [String]?
        var grantTypes: Set<GrantType>?
        var scopes: Set<Scope>?
        var roles: Set<Role>?
        var asksConsent: Bool?
        var secretHash: Bytes?
        var isActive: Bool?
    }

    init(
        id: ClientID, name: String, secretHash: Bytes?, redirectURIs: [String], postLogoutURIs: [String],
        grantTypes: Set<GrantType>, scopes: Set<Scope>, roles: Set<Role>, location: LocationID, asksConsent: Bool,
        isPairwise: Bool, subjectKey: Bytes? = nil, isActive: Bool, version: Int, createdAt: Timestamp
    ) {
        self.id = id
        self.name = name
        self.secretHash = secretHash
        self.redirectURIs = redirectURIs
        self.postLogoutURIs = postLogoutURIs
        self.grantTypes = grantTypes
        self.scopes = scopes
        self.roles = roles
        self.location = location
        self.asksConsent = asksConsent
        self.isPairwise = isPairwise
        self.subjectKey = subjectKey
        self.isActive = isActive
        self.version = version
        self.createdAt = createdAt
    }

    mutating func apply(_ change: Change, under settings: TenantSettings) throws(ClientError) {
        name = change.name ?? name
        redirectURIs = change.redirectURIs ?? redirectURIs
        postLogoutURIs = change.postLogoutURIs ?? postLogoutURIs
        grantTypes = change.grantTypes ?? grantTypes
        scopes = change.scopes ?? scopes
        roles = change.roles ?? roles
        asksConsent = change.asksConsent ?? asksConsent
        if let hash = change.secretHash {
            guard !isPublic else { throw .publicHasNoSecret }
            secretHash = hash
        }
        isActive = change.isActive ?? isActive
        try check(under: settings)
    }

    /// Whether this may be a client of the tenant at all.
    func check(under settings: TenantSettings) throws(ClientError) {
        guard !grantTypes.isEmpty, grantTypes.isSubset(of: settings.grantTypes) else { throw .grantNotAllowed }
        guard roles.isSubset(of: Self.assignable) else { throw .roleNotAssignable }
        for address in redirectURIs + postLogoutURIs {
            guard let origin = RedirectURI.origin(address, isPublic: isPublic) else { throw .addressUnsafe }
            guard settings.redirectOrigins.isEmpty || settings.redirectOrigins.contains(origin) else {
                throw .originNotAllowed
            }
        }
        if grantTypes.contains(.authorizationCode) {
            guard !redirectURIs.isEmpty else { throw .addressMissing }
        }
        if grantTypes.contains(.clientCredentials) {
            guard !isPublic, !roles.isEmpty else { throw .machineIncomplete }
        }
        // A machine is given nothing that its own roles would not do; a person's token is bounded by the person's.
        if grantTypes == [.clientCredentials] {
            let own = Permission.allCases.filter { !$0.roles.isDisjoint(with: roles) }
            guard scopes.allSatisfy({ !$0.permissions.isDisjoint(with: own) }) else { throw .scopeBeyondRoles }
        }
    }

    /// What is left of it under what the tenant allows now, whatever was allowed when it was registered.
    func bounded(by settings: TenantSettings) -> Client {
        var client = self
        client.grantTypes.formIntersection(settings.grantTypes)
        if !settings.redirectOrigins.isEmpty {
            let isAllowed = { (address: String) in
                RedirectURI.origin(address, isPublic: self.isPublic).map(settings.redirectOrigins.contains) ?? false
            }
            client.redirectURIs.removeAll { !isAllowed($0) }
            client.postLogoutURIs.removeAll { !isAllowed($0) }
        }
        return client
    }

    /// What of the wished scopes it gets: the known ones that it registered for.
    func granted(_ wish: String?) -> Set<Scope> {
        guard let wish else { return scopes.subtracting([.openid, .profile, .email, .offlineAccess]) }
        return Scope.list(wish).intersection(scopes)
    }

    /// Exactly, byte for byte (RFC 9700 2.1): an address that only begins alike belongs to somebody else.
    func sendsCodes(to address: String) -> Bool { redirectURIs.contains { $0.utf8.elementsEqual(address.utf8) } }

    func sendsBack(to address: String) -> Bool { postLogoutURIs.contains { $0.utf8.elementsEqual(address.utf8) } }
}

enum ClientError: Error, Equatable {
    case grantNotAllowed
    case roleNotAssignable
    case addressUnsafe
    case originNotAllowed
    case addressMissing
    case machineIncomplete
    case scopeBeyondRoles
    case publicHasNoSecret
    case locationUnknown
}

/// Where a browser may be sent with a code.
enum RedirectURI {
    /// The origin of an address that is safe to send a code to; nil for any other. `https` anywhere, `http` on the
    /// loopback, an application's own scheme (RFC 8252 7.1) for public clients; no fragment, no user, no controls.
    static func origin(_ address: String, isPublic: Bool) -> String? {
        guard (8...500).contains(address.utf8.count), address.utf8.allSatisfy({ (0x21...0x7e).contains($0) }),
            !address.utf8.contains(where: { "#\"<>\\^`{|}".utf8.contains($0) }),
            let colon = address.firstIndex(of: ":")
        else { return nil }
        let scheme = String(address[..<colon])
        if scheme != "https" && scheme != "http" {
            let isOwn = isPublic && scheme.contains(".") && scheme.utf8.allSatisfy {
                (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2e || $0 == 0x2d
            }
            return isOwn ? scheme + ":" : nil
        }
        guard address[colon...].hasPrefix("://") else { return nil }
        let authority = String(address[colon...].dropFirst(3).prefix { $0 != "/" && $0 != "?" })
        guard !authority.isEmpty, !authority.contains("@") else { return nil }
        let isLoopback = ["localhost", "127.0.0.1", "[::1]"].contains { authority == $0 || authority.hasPrefix($0 + ":") }
        guard scheme == "https" || isLoopback else { return nil }
        return "\(scheme)://\(authority)"
    }

    /// The address with more parameters behind it; those without a value are left out.
    static func adding(_ parameters: [(name: String, value: String?)], to address: String) -> String {
        let pairs = parameters.compactMap { pair in pair.value.map { "\(pair.name)=\(Form.encoded($0))" } }
        guard !pairs.isEmpty else { return address }
        return address + (address.contains("?") ? "&" : "?") + pairs.joined(separator: "&")
    }
}
