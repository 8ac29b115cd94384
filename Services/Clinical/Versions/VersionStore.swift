import Bootstrap
import Loop
import Postgres
import Primitives

/// Every statement that touches `patient_version` and `visit_version`: rows that are only ever added, in the statement
/// that changes the record, so that neither is there without the other.
@LoopActor struct VersionStore {
    let vault: PatientVault

    /// For a `with` before the update.
    func insert(_ version: Int, of patient: PatientID, by account: AccountID, _ body: [UInt8]) throws -> SQL {
        let sealed = Bytes(try vault.seal(body, "patient_version", "body", row: "\(patient) \(version)"))
        return """
            insert into patient_version (patient_id, version, replaced_by, body)
            values (\(patient), \(version), \(account), \(sealed))
            """
    }

    func insert(_ version: Int, of visit: VisitID, by account: AccountID, _ body: [UInt8]) throws -> SQL {
        let sealed = Bytes(try vault.seal(body, "visit_version", "body", row: "\(visit) \(version)"))
        return """
            insert into visit_version (visit_id, version, replaced_by, body)
            values (\(visit), \(version), \(account), \(sealed))
            """
    }

    /// The newest first, before `last`.
    func page(of patient: PatientID, before last: Int?, limit: Int, _ sql: any SQLSession) async throws -> [FormerVersion] {
        try await sql.all(
            """
            select version, replaced_by, replaced_at, body from patient_version
            where patient_id = \(patient) and (\(last)::int is null or version < \(last))
            order by version desc limit \(limit)
            """) { try read(&$0, "patient_version", patient.description) }
    }

    func page(of visit: VisitID, before last: Int?, limit: Int, _ sql: any SQLSession) async throws -> [FormerVersion] {
        try await sql.all(
            """
            select version, replaced_by, replaced_at, body from visit_version
            where visit_id = \(visit) and (\(last)::int is null or version < \(last))
            order by version desc limit \(limit)
            """) { try read(&$0, "visit_version", visit.description) }
    }

    private func read(_ row: inout Row, _ table: String, _ id: String) throws -> FormerVersion {
        let version: Int = try row.next()
        return FormerVersion(
            version: version, replacedBy: try row.next(), replacedAt: try row.next(),
            body: try vault.open(row.next(as: Bytes.self).array, table, "body", row: "\(id) \(version)"))
    }
}
