import Access
import Bootstrap
import Contracts
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// Saves a changed record beside what it said before: what the desk corrects, and what those who treat record about health.
@LoopActor struct ChangePatient {
    let vault: PatientVault
    let scope: PatientScope
    let account: AccountID

    func save(_ patient: Patient, replacing old: Patient, _ changed: PatientChanged, in tx: Transaction) async throws {
        let id = patient.id.description
        let sealed = try vault.seal(patient.personal.jsonBytes, "patient", "personal", row: id)
        let former = try VersionStore(vault: vault).insert(
            old.version, of: old.id, by: account,
            FormerVersion.body(FormerPatient(patient: old), changed: changed.fields))
        guard try await PatientStore(sql: tx, scope: scope).update(patient, personal: sealed, keeping: former) else {
            throw Problem.staleVersion
        }
        try tx.announce(changed, revision: patient.version)
        try tx.audit(
            "update", "patient", id, of: patient.id,
            before: JSONObject([("version", .int(Int64(old.version))), ("active", .bool(old.active))]),
            after: JSONObject([
                ("version", .int(Int64(patient.version))), ("active", .bool(patient.active)),
                ("changed", .array(changed.fields.map { .string($0) })),
            ]))
    }
}
