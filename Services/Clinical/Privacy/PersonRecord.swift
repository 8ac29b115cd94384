import Access
import Bootstrap
import JSON
import Loop
import Postgres
import Primitives

/// The whole record of one person, open: for an export and for nothing else.
struct PersonRecord: JSONWritable, Sendable {
    let patient: Patient
    /// What it said before it was changed.
    let versions: [FormerVersion]
    let visits: [Whole]
    let consents: [Consent]
    /// When somebody opened the chart without a right to, why, and what was said of it.
    let brokenGlass: [BreakGlass]

    /// A visit with everything that belongs to it.
    struct Whole: JSONWritable, Sendable {
        let visit: Visit
        let versions: [FormerVersion]
        let notes: [VisitWords]
        let addenda: [VisitWords]
        let prescriptions: [Prescription]

        func write(to json: inout JSONWriter) {
            json.object {
                VisitView(visit: visit, addenda: addenda).writeMembers(to: &$0)
                $0.field("versions", versions)
                $0.field("notes", notes)
                $0.array("prescriptions", prescriptions) { $0.value(PrescriptionView(prescription: $1)) }
            }
        }
    }

    @LoopActor static func read(
        _ row: SealedPatient, _ ring: KeyRing, _ scope: PatientScope, _ sql: any SQLSession
    ) async throws -> PersonRecord {
        let vault = try row.vault(ring, scope)
        let sealed = try await VisitStore(sql: sql, scope: scope).history(of: row.id, before: nil, limit: PersonExport.most + 1)
        try PersonExport.checkWhole(sealed.count)
        let words = VisitWordsStore(sql: sql, vault: vault)
        let former = VersionStore(vault: vault)
        let versions = try await former.page(of: row.id, before: nil, limit: PersonExport.most + 1, sql)
        try PersonExport.checkWhole(versions.count)
        var visits: [Whole] = []
        for visit in sealed {
            visits.append(
                Whole(
                    visit: try visit.open(vault),
                    versions: try await former.page(of: visit.id, before: nil, limit: PersonExport.most, sql), notes: try await words.notes(of: visit.id),
                    addenda: try await words.addenda(of: visit.id),
                    prescriptions: try await PrescriptionStore(sql: sql, vault: vault).all(of: visit.id)))
        }
        return PersonRecord(
            patient: Patient(row, personal: try Personal(stored: row.open(ring, scope))), versions: versions, visits: visits,
            consents: try await ConsentRoutes.all(of: row.id, scope, sql),
            brokenGlass: try await BreakGlassStore(sql: sql, scope: scope).all(of: row.id).map { try $0.open(ring, scope).grant })
    }

    func write(to json: inout JSONWriter) { json.object { writeMembers(to: &$0) } }

    func writeMembers(to json: inout JSONWriter) {
        json.field("patient", PatientView(patient))
        json.field("versions", versions)
        json.field("visits", visits)
        json.field("consents", consents)
        json.array("brokenGlass", brokenGlass) { json, grant in
            json.object {
                $0.field("id", grant.id)
                $0.field("kind", grant.kind)
                $0.field("accountId", grant.account)
                $0.field("locationId", grant.location)
                $0.field("reason", grant.reason)
                $0.field("grantedAt", grant.grantedAt)
                $0.field("expiresAt", grant.expiresAt)
                $0.field("reviewedBy", grant.review?.by)
                $0.field("reviewedAt", grant.review?.at)
                $0.field("outcome", grant.review?.outcome.rawValue)
                $0.field("note", grant.review?.note)
            }
        }
    }
}
