import Access
import Bootstrap
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// What the clinic asks of those who sign in, over HTTP.
@LoopActor struct PolicyRoutes {
    let host: Host
    let policy: SecurityPolicy

    var table: [Route] {
        [
            .get("/v1/auth/policy", for: .manageTenants, Self.showDocs, show),
            .put("/v1/auth/policy", for: .manageTenants, Self.changeDocs, change).afterStepUp(),
        ]
    }

    private func show(_ request: Request, by caller: Principal) async throws -> Response {
        .json(200, View(isRequired: try await policy.requiresStaffFactor(host.db.reader(for: caller.tenant))))
    }

    /// From the next sign-in on the clinic's word counts, and for who is signed in from the next refresh on.
    private func change(_ request: Request, by caller: Principal) async throws -> Response {
        let isRequired = try request.body.required("staffMFA", as: String.self) == View.required
        return try await host.write(request, by: caller) { tx in
            let before = View(isRequired: try await policy.requiresStaffFactor(tx))
            let after = View(isRequired: isRequired)
            try await SecurityPolicyStore(sql: tx).save(staffFactor: isRequired)
            try tx.audit("update", "security_policy", caller.tenant.description, before: before.audited, after: after.audited)
            return .json(200, after)
        }
    }

    private struct View: JSONWritable {
        static let required = "required"
        let isRequired: Bool
        private var word: String { isRequired ? Self.required : "optional" }

        func write(to json: inout JSONWriter) { json.object { $0.field("staffMFA", word) } }
        var audited: JSONObject { JSONObject([("staffMFA", .string(word))]) }

        static let schema = Schema.object([
            .required("staffMFA", .choice(["required", "optional"]), "Whether staff must have a second factor")
        ])
    }

    private static let showDocs = Route.Docs("Show what the clinic asks of those who sign in", answers: [(200, View.schema)])
    private static let changeDocs = Route.Docs(
        "Decide what the clinic asks of those who sign in", body: View.schema, answers: [(200, View.schema)])
}
