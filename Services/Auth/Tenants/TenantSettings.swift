import Access
import Loop
import Postgres
import Primitives

/// What a tenant decides for itself about signing in, within bounds that the operator's promises need.
struct TenantSettings: Equatable, Sendable {
    var accessTokenSeconds: Int
    var staffSessionSeconds: Int
    var patientSessionSeconds: Int
    /// A member of staff who did nothing for so long signs in again.
    var staffIdleSeconds: Int
    /// Empty: any origin.
    var redirectOrigins: [String]
    /// For clients that are registered and say nothing of it themselves.
    var consentRequired: Bool
    var grantTypes: Set<Client.GrantType>
    var version: Int

    /// What counts while the tenant has said nothing.
    init(defaults config: AuthConfig) {
        accessTokenSeconds = Int(clamping: config.accessTokenLife.components.seconds)
        staffSessionSeconds = Int(clamping: config.staffSessionLife.components.seconds)
        patientSessionSeconds = Int(clamping: config.patientSessionLife.components.seconds)
        staffIdleSeconds = Int(clamping: config.staffIdle.components.seconds)
        redirectOrigins = []
        consentRequired = true
        grantTypes = Set(Client.GrantType.allCases)
        version = 0
    }

    func sessionLife(of credential: Credential) -> Int64 {
        Int64(credential.isOnlyPatient ? patientSessionSeconds : staffSessionSeconds)
    }

    /// How old the live refresh token of somebody who is still there may be: what they did last needed an access token, and
    /// that came with it. Nil for patients, whose phone is their own.
    func idleLimit(of credential: Credential) -> Int64? {
        credential.isOnlyPatient ? nil : Int64(staffIdleSeconds + accessTokenSeconds)
    }
}

/// Reads a tenant's settings, or the operator's defaults.
@LoopActor struct SettingsReader {
    let config: AuthConfig

    func callAsFunction(of tenant: TenantID, _ sql: any SQLSession) async throws -> TenantSettings {
        try await SettingsStore(sql: sql).find() ?? TenantSettings(defaults: config)
    }
}

/// Every statement that touches `tenant_setting`.
@LoopActor struct SettingsStore {
    let sql: any SQLSession

    func find() async throws -> TenantSettings? {
        try await sql.first(
            """
            select access_token_seconds, staff_session_seconds, patient_session_seconds, staff_idle_seconds, redirect_origins,
                   consent_required, grant_types, version
            from tenant_setting
            """, as: TenantSettings.init(row:))
    }

    /// False when somebody changed them since this version; version 0 is "never set".
    func save(_ settings: TenantSettings) async throws -> Bool {
        let grants = Client.GrantType.allCases.filter { settings.grantTypes.contains($0) }
        if settings.version == 0 {
            return try await sql.run(
                """
                insert into tenant_setting (access_token_seconds, staff_session_seconds, patient_session_seconds,
                                            staff_idle_seconds, redirect_origins, consent_required, grant_types)
                values (\(settings.accessTokenSeconds), \(settings.staffSessionSeconds),
                        \(settings.patientSessionSeconds), \(settings.staffIdleSeconds), \(settings.redirectOrigins),
                        \(settings.consentRequired), \(grants))
                on conflict (tenant_id) do nothing
                """) == 1
        }
        return try await sql.run(
            """
            update tenant_setting
            set access_token_seconds = \(settings.accessTokenSeconds), staff_session_seconds = \(settings.staffSessionSeconds),
                patient_session_seconds = \(settings.patientSessionSeconds),
                staff_idle_seconds = \(settings.staffIdleSeconds), redirect_origins = \(settings.redirectOrigins),
                consent_required = \(settings.consentRequired), grant_types = \(grants), version = version + 1
            where version = \(settings.version)
            """) == 1
    }
}

extension TenantSettings {
    init(row: inout Row) throws {
        accessTokenSeconds = try row.next()
        staffSessionSeconds = try row.next()
        patientSessionSeconds = try row.next()
        staffIdleSeconds = try row.next()
        redirectOrigins = try row.next()
        consentRequired = try row.next()
        grantTypes = Set(try row.next(as: [Client.GrantType].self))
        version = try row.next()
    }
}
