import Contracts
import Loop
import Messaging
import Postgres
import Primitives

/// Every statement that touches `practitioner_card`: the professional names that prescriptions are signed with.
@LoopActor struct PractitionerCardStore {
    let sql: any SQLSession

    func name(of account: AccountID) async throws -> String? {
        try await sql.first(
            "select name from practitioner_card where account_id = \(account)", as: { try $0.next(as: String?.self) }) ?? nil
    }

    /// Every account has a card; only who signs prescriptions has a name on it.
    func isKnown(_ account: AccountID) async throws -> Bool {
        try await sql.first("select true from practitioner_card where account_id = \(account)", as: { try $0.next() }) ?? false
    }

    func save(_ account: AccountID, name: String?, revision: Int) async throws {
        try await sql.run(
            """
            insert into practitioner_card as c (account_id, name, revision)
            values (\(account), \(name), \(revision))
            on conflict (account_id) do update set name = excluded.name, revision = excluded.revision
            where c.revision < excluded.revision
            """)
    }
}

extension Reaction {
    static let rememberPractitioner = Reaction(to: AccountCreated.self, named: "clinical.remember-practitioner") {
        created, envelope, tx in
        try await PractitionerCardStore(sql: tx)
            .save(created.accountID, name: created.professionalName, revision: envelope.revision)
    }

    static let rememberPractitionerRoles = Reaction(
        to: AccountRolesChanged.self, named: "clinical.remember-practitioner-roles"
    ) { changed, envelope, tx in
        try await PractitionerCardStore(sql: tx)
            .save(changed.accountID, name: changed.professionalName, revision: envelope.revision)
    }
}
