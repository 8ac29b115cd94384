import Access
import HTTP
import JSON
import Primitives

/// A client as administrators see it; its secret once, when it is made.
struct ClientView: JSONWritable {
    let client: Client
    var secret: String?

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("id", client.id)
            $0.field("clientId", client.id)
            $0.field("clientSecret", secret)
            $0.field("name", client.name)
            $0.field("public", client.isPublic)
            $0.field("redirectUris", client.redirectURIs)
            $0.field("postLogoutRedirectUris", client.postLogoutURIs)
            $0.field("grantTypes", client.grantNames)
            $0.field("scopes", client.scopeNames)
            $0.field("roles", client.roleNames)
            $0.field("locationId", client.location)
            $0.field("consentRequired", client.asksConsent)
            $0.field("pairwiseSubjects", client.isPairwise)
            $0.field("active", client.isActive)
            $0.field("createdAt", client.createdAt)
        }
    }

    private static let addresses = Schema.list(of: .text(min: 8, max: 500), max: 20)
    private static let grants = Schema.list(of: .choice(Client.GrantType.allCases.map(\.rawValue)), min: 1, max: 3)
    private static let scopes = Schema.list(of: .choice(Scope.allCases.map(\.rawValue)), max: 32)
    private static let roles = Schema.list(of: .choice(Role.allCases.map(\.rawValue)), max: 12)

    static let schema = Schema.object([
        .required("id", .id), .required("clientId", .id),
        .optional("clientSecret", .text(max: 64), "Shown once: when it is made"),
        .required("name", .text(max: 100)), .required("public", .boolean),
        .required("redirectUris", addresses), .required("postLogoutRedirectUris", addresses),
        .required("grantTypes", grants), .required("scopes", scopes), .required("roles", roles),
        .required("locationId", .id), .required("consentRequired", .boolean), .required("pairwiseSubjects", .boolean),
        .required("active", .boolean), .required("createdAt", .instant),
    ])

    static let fields: [Schema.Field] = [
        .optional("redirectUris", addresses, "Compared exactly, byte for byte"),
        .optional("postLogoutRedirectUris", addresses),
        .optional("scopes", scopes), .optional("roles", roles, "What a machine may do in its own name"),
        .optional("consentRequired", .boolean, "Ask people whether they agree; the tenant's setting by default. false: an application of the clinic's own, which sees of patients what its users see, whether or not they agreed to sharing"),
    ]

    static let creation = Schema.object(
        [
            .required("name", .text(max: 100)), .required("grantTypes", grants),
            .optional("public", .boolean, "It can keep no secret: a page or an app on people's devices"),
            .optional("locationId", .id), .optional("pairwiseSubjects", .boolean, "People look different to each client"),
        ] + fields)

    static let change = Schema.object(
        [
            .optional("name", .text(max: 100)), .optional("grantTypes", grants), .optional("active", .boolean),
            .optional("newSecret", .boolean, "true: the old secret is void, the answer holds the new one"),
        ] + fields)
}

extension Client {
    var audited: JSONObject {
        JSONObject([
            ("active", .bool(isActive)), ("grantTypes", .array(grantNames.map { .string($0) })),
            ("scopes", .array(scopeNames.map { .string($0) })), ("roles", .array(roleNames.map { .string($0) })),
            ("redirectUris", .array(redirectURIs.map { .string($0) })),
        ])
    }
}

/// The one place where a client's refusals become HTTP.
extension ClientError: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .grantNotAllowed: .refused("grant_not_allowed", "The clinic's settings do not allow one of these grant types.")
        case .roleNotAssignable: .invalid("roles", "role_not_assignable", "A machine has roles of staff, service or display.")
        case .addressUnsafe:
            .invalid("redirectUris", "unsafe_address", "Use https, or http on the loopback, without fragment or user.")
        case .originNotAllowed: .refused("origin_not_allowed", "The clinic's settings do not allow one of these origins.")
        case .addressMissing: .invalid("redirectUris", "required", "authorization_code needs at least one address.")
        case .machineIncomplete:
            .invalid("roles", "required", "client_credentials needs a confidential client with at least one role.")
        case .scopeBeyondRoles: .refused("scope_beyond_roles", "One of these scopes opens nothing that its roles may do.")
        case .publicHasNoSecret: .refused("public_client", "A public client has no secret.")
        case .locationUnknown: .refused("location_unknown", "There is no such location.")
        }
    }
}
