import Access
import Bootstrap
import Contracts
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// Every statement that touches `licence_card`: until when a doctor may see patients and prescribe.
@LoopActor struct LicenceCardStore {
    let sql: any SQLSession

    func licensedUntil(_ account: AccountID) async throws -> LocalDate? {
        try await sql.first(
            "select licensed_until from licence_card where account_id = \(account)",
            as: { try $0.next(as: LocalDate?.self) }) ?? nil
    }

    func save(_ account: AccountID, until: LocalDate?, revision: Int) async throws {
        try await sql.run(
            """
            insert into licence_card as c (account_id, licensed_until, revision) values (\(account), \(until), \(revision))
            on conflict (account_id) do update set licensed_until = excluded.licensed_until, revision = excluded.revision
            where c.revision < excluded.revision
            """)
    }
}

/// Refuses whoever sees a patient, signs or prescribes without a licence that somebody has verified and that is good today.
@LoopActor struct RequireLicence {
    let host: Host

    /// Before refusing, scheduling is asked: it decides by the same licences who can be booked.
    func callAsFunction(of caller: Principal, on today: LocalDate, orThrow refusal: some Error) async throws {
        let known = try await LicenceCardStore(sql: host.db.reader(for: caller.tenant)).licensedUntil(caller.account)
        if let known, known >= today { return }
        let path = "/internal/cards/accounts/\(caller.account)/provider"
        guard let card = try await host.cards.ask("scheduling", path, as: caller),
            let until = try card.optional("licensedUntil", as: LocalDate.self), until >= today
        else { throw refusal }
    }
}

extension Reaction {
    static let rememberLicence = Reaction(to: LicenceVerified.self, named: "clinical.remember-licence") {
        verified, envelope, tx in
        try await LicenceCardStore(sql: tx).save(verified.accountID, until: verified.validUntil, revision: envelope.revision)
    }

    static let forgetLicence = Reaction(to: LicenceWithdrawn.self, named: "clinical.forget-licence") {
        withdrawn, envelope, tx in
        try await LicenceCardStore(sql: tx).save(withdrawn.accountID, until: nil, revision: envelope.revision)
    }
}
