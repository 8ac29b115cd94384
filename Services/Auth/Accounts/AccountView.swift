import Access
import HTTP
import JSON
import Primitives

/// An account as administrators see it.
struct AccountView: JSONWritable {
    private let account: Account
    private let temporaryPassword: TemporaryPassword?

    init(_ account: Account, temporaryPassword: TemporaryPassword? = nil) {
        self.account = account
        self.temporaryPassword = temporaryPassword
    }

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("id", account.id)
            // Nothing is left of whoever was erased.
            if !account.name.isEmpty { $0.field("name", account.name) }
            if !account.email.isEmpty { $0.field(account.email.hasPrefix("+") ? "phone" : "email", account.email) }
            $0.field("roles", account.roleNames)
            $0.field("active", account.isActive)
            $0.field("locationId", account.location)
            $0.field("patientId", account.patient)
            $0.field("createdAt", account.createdAt)
            $0.field("temporaryPassword", temporaryPassword?.text)
        }
    }

    private static let fields: [Schema.Field] = [
        .required("id", .id), .optional("name", .text(max: 200), "Not there once the person was erased"), .optional("email", .text(max: 254)),
        .optional("phone", .text(max: 16), "Of somebody who signs in with a phone number"),
        .required("roles", Account.roleList), .required("active", .boolean), .required("locationId", .id),
        .optional("patientId", .id), .required("createdAt", .instant),
    ]
    static let schema = Schema.object(fields)
    static let createdSchema = Schema.object(
        fields + [.required("temporaryPassword", .text(max: 40), "Shown here only; for choosing another at the first sign-in")])
}

extension Account {
    /// States and ids, and the names of personal fields, never their values.
    func audited(after outcome: Outcome) -> JSONObject {
        var object = JSONObject([
            ("roles", .array(roleNames.map { .string($0) })), ("active", .bool(isActive)),
            ("locationId", .string(location.description)),
        ])
        let changed = (outcome.isRenamed ? ["name"] : []) + (outcome.isReaddressed ? ["contact"] : [])
        if !changed.isEmpty { object["changed"] = .array(changed.map { .string($0) }) }
        return object
    }
    var audited: JSONObject { audited(after: Outcome()) }
}

extension Account {
    static let roleList = Schema.list(of: .choice(assignable.map(\.rawValue)), min: 1, max: 12)
}

extension AccountRoutes {
    static let listDocs = Route.Docs(
        "List accounts",
        query: [
            .optional("role", .choice(Role.allCases.map(\.rawValue))), .optional("active", .boolean),
            .optional("limit", .integer(1...100)), .optional("cursor", .text(max: 500)),
        ],
        answers: [
            (200, .object([.required("items", .list(of: AccountView.schema, max: 100)), .optional("nextCursor", .text(max: 500))]))
        ])

    static let showDocs = Route.Docs("Show an account", answers: [(200, AccountView.schema)])

    static let createDocs = Route.Docs(
        "Create an account; its owner chooses a password at the first sign-in, within three days",
        body: .object([
            .required("name", .text(max: 200)), .required("email", .text(max: 254)), .required("roles", Account.roleList),
            .optional("patientId", .id, "Required for role patient: the record the account may see"),
            .optional("locationId", .id, "The creator's site by default"),
            .optional(
                "licence", .object(Licence.particulars + [.required("seen", LicenceView.seen, "Which papers you have before you: both, or leave the licence out")]),
                "Of a doctor whose papers the administrator has seen: they can be booked at once"),
        ]),
        answers: [(201, AccountView.createdSchema)],
        problems: ["email_taken", "invalid_email", "not_a_doctor", "papers_not_seen", "licence_expired", "patient_unknown", "location_unknown"])

    static let changeDocs = Route.Docs(
        "Change an account; `active: false` deactivates it at once",
        body: .object([
            .optional("name", .text(max: 200)), .optional("roles", Account.roleList), .optional("active", .boolean),
            .optional("locationId", .id),
            .optional("contact", .text(max: 254), "Somebody else's e-mail address or phone number with +country, to sign in with from now on; the old one is told"),
        ]),
        answers: [(200, AccountView.schema)],
        problems: ["email_taken", "invalid_contact", "own_contact", "account_erased", "last_admin", "location_unknown", "stale_version"],
        isMergePatch: true)
}
