import Access
import Bootstrap
import Contracts
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// Patients' own accounts when a patient is erased, and what an export says of them.
@LoopActor struct ForgetPerson {
    let host: Host
    let vaults: Vaults

    /// The account closes, and its name and address are written over: nobody can sign in as, or find, who is gone.
    nonisolated var reaction: Reaction {
        Reaction(to: PatientErased.self, named: "auth.forget-person") { fact, envelope, tx in
            let now = host.now()
            try await IdempotentRequest.forget(fact.patientID, tx)
            let accounts = try await tx.all(
                """
                select id, version from account where patient_id = \(fact.patientID) and roles <@ array['patient']
                order by id for update
                """, as: { row in (id: try row.next(as: AccountID.self), version: try row.next(as: Int.self)) })
            guard !accounts.isEmpty else { return }
            let vault = try await vaults.vault(of: envelope.tenant, tx)
            for account in accounts {
                try await tx.run(
                    """
                    update account
                    set name = \(try vault.seal("", for: "account|name|\(account.id)")),
                        email = \(try vault.seal("", for: "account|email|\(account.id)")),
                        active = false, valid_from = \(now), version = version + 1
                    where id = \(account.id)
                    """)
                for table: SQL in ["login", "passkey", "totp", "recovery_code"] {
                    try await tx.run("delete from \(table) where account_id = \(account.id)")
                }
                _ = try await SessionStore(sql: tx).endAll(of: account.id, because: .deactivated, at: now)
                tx.revokeTokens(of: account.id, tenant: envelope.tenant, before: now)
                try tx.announce(AccountDeactivated(accountID: account.id, at: now), revision: account.version + 1)
                try tx.audit("erase", "account", account.id.description)
            }
        }
    }

    func export() -> Route {
        PersonExport.route([
            PersonExport.Part("account") { [host, vaults] patient, caller in
                let sql = host.db.reader(for: caller.tenant)
                let ids = try await sql.all(
                    "select id from account where patient_id = \(patient) and roles <@ array['patient'] limit 100",
                    as: { try $0.next(as: AccountID.self) })
                let store = AccountStore(sql: sql, vault: try await vaults.vault(of: caller.tenant, sql))
                var accounts: [JSONObject] = []
                for id in ids {
                    guard let account = try await store.find(id) else { continue }
                    accounts.append(
                        JSONObject([
                            ("id", .string(id.description)), ("name", .string(account.name)),
                            ("email", .string(account.email)), ("active", .bool(account.isActive)),
                            ("createdAt", .string(account.createdAt.description)),
                        ]))
                }
                return JSONValue.array(accounts.map { .object($0) }).jsonBytes
            },
            PersonExport.Part("proxy_grant") { [host, vaults] patient, caller in
                let sql = host.db.reader(for: caller.tenant)
                let store = ProxyGrantStore(sql: sql, vault: try await vaults.vault(of: caller.tenant, sql))
                return try await store.export(patient: patient, account: nil)
            },
            .rows(of: "session", host, where: Self.own),
            .rows(of: "browser_session", host, without: ["hash"], where: Self.own),
            .rows(of: "client_consent", host, where: Self.own),
            .rows(of: "passkey", host, without: ["public_key", "credential_id"], where: Self.own),
        ])
    }

    /// Of the accounts that patients sign in with themselves.
    private nonisolated static func own(_ patient: PatientID) -> SQL {
        "account_id in (select id from account where patient_id = \(patient) and roles <@ array['patient'])"
    }
}
