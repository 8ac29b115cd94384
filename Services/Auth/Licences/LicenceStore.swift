import JSON
import Loop
import Postgres
import Primitives

/// Every statement that touches `licence` and `licence_document`. Particulars and pages pass through the tenant's vault.
@LoopActor struct LicenceStore {
    let sql: any SQLSession
    let vault: Vault

    private static let columns =
        "account_id, details, valid_until, status, submitted_at, decided_at, decided_by, in_force_until, opened_at, seen, version"

    func find(_ account: AccountID) async throws -> Licence? {
        try await sql.first("select \(unsafe: Self.columns) from licence where account_id = \(account)", as: read)
    }

    func findForUpdate(_ account: AccountID) async throws -> Licence? {
        try await sql.first("select \(unsafe: Self.columns) from licence where account_id = \(account) for update", as: read)
    }

    /// What waits for an administrator, longest first.
    func submitted(limit: Int) async throws -> [Licence] {
        try await sql.all(
            """
            select \(unsafe: Self.columns) from licence where status = 'submitted'
            order by submitted_at, account_id limit \(limit)
            """, as: read)
    }

    /// Keeps it and says its new version.
    func save(_ licence: Licence) async throws -> Int {
        let sealed = try vault.sealBytes(licence.details.jsonBytes, for: Self.details(licence.account))
        let version = try await sql.first(
            """
            insert into licence (account_id, details, valid_until, status, submitted_at, decided_at, decided_by,
                                 in_force_until, opened_at, seen)
            values (\(licence.account), \(sealed), \(licence.validUntil), \(licence.status.rawValue),
                    \(licence.submittedAt), \(licence.decidedAt), \(licence.decidedBy), \(licence.inForceUntil),
                    \(licence.openedAt), \(LicenceDocument.Kind.words(licence.seen)))
            on conflict (account_id) do update
            set details = excluded.details, valid_until = excluded.valid_until, status = excluded.status,
                submitted_at = excluded.submitted_at, decided_at = excluded.decided_at, decided_by = excluded.decided_by,
                in_force_until = excluded.in_force_until, opened_at = excluded.opened_at,
                seen = excluded.seen, version = licence.version + 1
            returning version
            """, as: { row in try row.next(as: Int.self) })
        guard let version else { throw PostgresError(.decoding, message: "licence: saving returned no row") }
        return version
    }

    // MARK: documents

    /// The latest, in the order in which they came; those of earlier submissions stay.
    func documents(of account: AccountID) async throws -> [LicenceDocument] {
        let latest = try await sql.all(
            """
            select id, kind, media_type, size, uploaded_at from licence_document
            where account_id = \(account) order by id desc limit 20
            """,
            as: { row in
                LicenceDocument(
                    id: try row.next(), kind: LicenceDocument.Kind(rawValue: try row.next()) ?? .licence,
                    mediaType: try row.next(), size: try row.next(), uploadedAt: try row.next())
            })
        return latest.reversed()
    }

    func insert(_ document: LicenceDocument, _ content: [UInt8], of account: AccountID) async throws {
        let sealed = try vault.sealBytes(content, for: Self.page(document.id))
        try await sql.run(
            """
            insert into licence_document (id, account_id, kind, media_type, size, content, uploaded_at)
            values (\(document.id), \(account), \(document.kind.rawValue), \(document.mediaType), \(document.size),
                    \(sealed), \(document.uploadedAt))
            """)
    }

    func content(_ id: ID<LicenceDocument>, of account: AccountID) async throws -> (mediaType: String, bytes: [UInt8])? {
        let found = try await sql.first(
            "select media_type, content from licence_document where id = \(id) and account_id = \(account)",
            as: { row in (try row.next(as: String.self), try row.next(as: Bytes.self)) })
        return try found.map { ($0.0, try vault.openBytes($0.1, for: Self.page(id))) }
    }

    /// Pages are the account's own until they are handed in.
    func remove(_ id: ID<LicenceDocument>, of account: AccountID) async throws -> Bool {
        try await sql.run("delete from licence_document where id = \(id) and account_id = \(account)") == 1
    }

    private func read(_ row: inout Row) throws -> Licence {
        let account: AccountID = try row.next()
        let opened = try vault.openBytes(try row.next(), for: Self.details(account))
        guard case .object(let details) = try JSONValue.parse(opened) else { throw PostgresError(.decoding, message: "licence: no object") }
        return try Licence(
            account: account, details: details, validUntil: try row.next(),
            status: Licence.Status(rawValue: try row.next()) ?? .draft, submittedAt: try row.next(),
            decidedAt: try row.next(), decidedBy: try row.next(), inForceUntil: try row.next(),
            openedAt: try row.next(),
            seen: Set(try row.next(as: [String].self).compactMap { LicenceDocument.Kind(rawValue: $0) }), version: try row.next())
    }

    private static func details(_ account: AccountID) -> String { "licence|details|\(account)" }
    private static func page(_ id: ID<LicenceDocument>) -> String { "licence_document|content|\(id)" }
}
