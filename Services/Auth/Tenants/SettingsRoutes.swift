import Access
import Bootstrap
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// A tenant's settings over HTTP, for its administrators. They count from the next sign-in or refresh on,
/// for clients that were registered before, too.
@LoopActor struct SettingsRoutes {
    let host: Host
    let settings: SettingsReader

    var table: [Route] {
        [
            .get("/v1/tenants/settings", for: .manageTenants, Self.showDocs, show),
            .patch("/v1/tenants/settings", for: .manageTenants, Self.changeDocs, change).afterStepUp(),
        ]
    }

    private func show(_ request: Request, by caller: Principal) async throws -> Response {
        let found = try await settings(of: caller.tenant, host.db.reader(for: caller.tenant))
        return .json(200, found, version: found.version)
    }

    private func change(_ request: Request, by caller: Principal) async throws -> Response {
        let expected = try request.ifMatch()
        let body = request.body
        if let origins = try body.optional("redirectOrigins", as: [String].self) {
            for origin in origins where RedirectURI.origin(origin + "/", isPublic: false) != origin {
                throw Problem.invalid("redirectOrigins", "invalid_origin", "Use origins such as https://portal.example.")
            }
        }
        return try await host.write(request, by: caller) { tx in
            var found = try await settings(of: caller.tenant, tx)
            guard found.version == expected else { throw Problem.staleVersion }
            let before = found
            found.accessTokenSeconds = try body.optional("accessTokenSeconds") ?? found.accessTokenSeconds
            found.staffSessionSeconds = try body.optional("staffSessionSeconds") ?? found.staffSessionSeconds
            found.patientSessionSeconds = try body.optional("patientSessionSeconds") ?? found.patientSessionSeconds
            found.staffIdleSeconds = try body.optional("staffIdleSeconds") ?? found.staffIdleSeconds
            found.redirectOrigins = try body.optional("redirectOrigins") ?? found.redirectOrigins
            found.consentRequired = try body.optional("consentRequired") ?? found.consentRequired
            if let names = try body.optional("grantTypes", as: [String].self) {
                found.grantTypes = Set(names.compactMap { Client.GrantType(rawValue: $0) })
            }
            guard try await SettingsStore(sql: tx).save(found) else { throw Problem.staleVersion }
            try await OriginStore(sql: tx).keep(Set(found.redirectOrigins))
            found.version += 1
            try tx.audit(
                "update", "tenant_settings", caller.tenant.description, before: before.audited, after: found.audited)
            return .json(200, found, version: found.version)
        }
    }
}

extension TenantSettings: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("accessTokenSeconds", accessTokenSeconds)
            $0.field("staffSessionSeconds", staffSessionSeconds)
            $0.field("patientSessionSeconds", patientSessionSeconds)
            $0.field("staffIdleSeconds", staffIdleSeconds)
            $0.field("redirectOrigins", redirectOrigins)
            $0.field("consentRequired", consentRequired)
            $0.field("grantTypes", Client.GrantType.allCases.filter { grantTypes.contains($0) }.map(\.rawValue))
        }
    }

    var audited: JSONObject {
        (try? JSONValue.parse(jsonBytes)).flatMap { JSONObject(json: $0) } ?? JSONObject()
    }

    private static let bounds: [(name: String, schema: Schema)] = [
        ("accessTokenSeconds", .integer(60...900)), ("staffSessionSeconds", .integer(900...86_400)),
        ("patientSessionSeconds", .integer(900...7_776_000)), ("staffIdleSeconds", .integer(300...86_400)),
        ("redirectOrigins", .list(of: .text(min: 8, max: 200), max: 50)), ("consentRequired", .boolean),
        ("grantTypes", .list(of: .choice(Client.GrantType.allCases.map(\.rawValue)), max: 3)),
    ]

    static let schema = Schema.object(bounds.map { .required($0.name, $0.schema) })
    static let change = Schema.object(bounds.map { .optional($0.name, $0.schema) })
}

extension SettingsRoutes {
    private static let showDocs = Route.Docs(
        "Show how people and applications may sign in", answers: [(200, TenantSettings.schema)])
    private static let changeDocs = Route.Docs(
        "Change how people and applications may sign in", body: TenantSettings.change,
        answers: [(200, TenantSettings.schema)], problems: ["stale_version"], isMergePatch: true)
}
