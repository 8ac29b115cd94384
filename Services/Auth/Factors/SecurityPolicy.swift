import Access
import Loop
import Postgres

/// What a tenant asks of those who sign in. Without a decision of its own, what the operator configured: a second
/// factor for staff in production, none in the demo, where nobody has a phone.
struct SecurityPolicy: Sendable {
    let staffFactorByDefault: Bool

    @LoopActor func requiresStaffFactor(_ sql: any SQLSession) async throws -> Bool {
        try await SecurityPolicyStore(sql: sql).find()?.staffFactor ?? staffFactorByDefault
    }
}

extension SecurityPolicy {
    /// Whether somebody with these roles must have a second factor: the policy is about staff.
    @LoopActor func asks(_ roles: Set<Role>, _ sql: any SQLSession) async throws -> Bool {
        guard !roles.isDisjoint(with: Permission.staff) else { return false }
        return try await requiresStaffFactor(sql)
    }
}

/// Every statement that touches `security_policy`.
@LoopActor struct SecurityPolicyStore {
    let sql: any SQLSession

    func find() async throws -> (staffFactor: Bool, version: Int)? {
        try await sql.first(
            "select staff_mfa = 'required', version from security_policy limit 1",
            as: { row in (try row.next(as: Bool.self), try row.next(as: Int.self)) })
    }

    func save(staffFactor: Bool) async throws {
        let word = staffFactor ? "required" : "optional"
        try await sql.run(
            """
            insert into security_policy (staff_mfa) values (\(word))
            on conflict (tenant_id) do update set staff_mfa = excluded.staff_mfa, version = security_policy.version + 1
            """)
    }
}
