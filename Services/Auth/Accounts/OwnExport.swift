import Access
import Bootstrap
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// Everything kept here about whoever asks, staff included (GDPR 15 and 20): the account, where it is signed in and what it
/// agreed to. Not what opens it, and not what its owner did at work, which is the clinic's record and stands in the trail.
@LoopActor struct OwnExport {
    let host: Host
    let vaults: Vaults

    var route: Route {
        .get("/v1/auth/me/export", for: .signedIn, Self.docs, export).afterStepUp()
    }

    private func export(_ request: Request, by caller: Principal) async throws -> Response {
        let sql = host.db.reader(for: caller.tenant)
        let vault = try await vaults.vault(of: caller.tenant, sql)
        guard let account = try await AccountStore(sql: sql, vault: vault).find(caller.account) else {
            throw Problem.notFound("account")
        }
        let licences = LicenceStore(sql: sql, vault: vault)
        var licence: LicenceView?
        if let found = try await licences.find(caller.account) {
            licence = LicenceView(licence: found, documents: try await licences.documents(of: caller.account))
        }
        var tables: [(name: String, rows: [UInt8])] = []
        for (table, without) in Self.tables {
            let own: SQL = "account_id = \(caller.account)"
            tables.append((table, try await PersonExport.rows(of: table, host, for: caller, without: without, where: own)))
        }
        tables.append(("proxy_grant", try await ProxyGrantStore(sql: sql, vault: vault).export(patient: nil, account: caller.account)))
        let view = OwnExportView(account: AccountView(account), licence: licence, tables: tables)
        return try await host.write(request, by: caller) { tx in
            try tx.audit("export", "account", caller.account.description)
            if let patient = account.patient { tx.concerns(patient) }
            return .json(200, view)
        }
    }

    /// And what of them is ours alone: what a browser or a passkey is known by.
    private static let tables: [(name: String, without: [String])] = [
        ("session", []), ("browser_session", ["hash"]), ("client_consent", []),
        ("passkey", ["public_key", "credential_id"]), ("totp", ["secret", "last_step"]),
    ]

    private static let docs = Route.Docs("Export everything kept here about the caller's own account", answers: [(200, .any)])
}

private struct OwnExportView: JSONWritable {
    let account: AccountView
    let licence: LicenceView?
    let tables: [(name: String, rows: [UInt8])]

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("account", account)
            if let licence { $0.field("licence", licence) }
            for (name, rows) in tables {
                $0.key(name)
                $0.raw(rows)
            }
        }
    }
}
