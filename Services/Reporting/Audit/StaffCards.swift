import Contracts
import Loop
import Messaging
import Postgres
import Primitives

/// Every statement that touches `staff_card`: published names of practitioners, nobody else's.
@LoopActor struct StaffCardStore {
    let sql: any SQLSession

    func save(_ account: AccountID, name: String?, revision: Int) async throws {
        try await sql.run(
            """
            insert into staff_card as c (account_id, name, revision) values (\(account), \(name), \(revision))
            on conflict (account_id) do update set name = excluded.name, revision = excluded.revision
            where c.revision < excluded.revision
            """)
    }
}

extension Reaction {
    static let rememberStaff = Reaction(to: AccountCreated.self, named: "reporting.remember-staff") { created, envelope, tx in
        try await StaffCardStore(sql: tx)
            .save(created.accountID, name: created.professionalName, revision: envelope.revision)
    }

    static let rememberStaffRoles = Reaction(
        to: AccountRolesChanged.self, named: "reporting.remember-staff-roles"
    ) { changed, envelope, tx in
        try await StaffCardStore(sql: tx)
            .save(changed.accountID, name: changed.professionalName, revision: envelope.revision)
    }
}
