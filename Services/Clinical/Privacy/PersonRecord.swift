import Access
import Bootstrap
import JSON
import Loop
import Postgres
import Primitives

/// The whole record of one person, open: for an export and for nothing else.
struct PersonRecord: JSONWritable, Sendable {
    let patient: Patient
    let visits: [Whole]
    let consents: [Consent]

    /// A visit with everything that belongs to it.
    struct Whole: JSONWritable, Sendable {
        let visit: Visit
        let notes: [VisitWords]
        let addenda: [VisitWords]
        let prescriptions: [Prescription]

        func write(to json: inout JSONWriter) {
            json.object {
                VisitView(visit: visit, addenda: addenda).writeMembers(to: &$0)
                $0.field("notes", notes)
                $0.array("prescriptions", prescriptions) { $0.value(PrescriptionView(prescription: $1)) }
            }
        }
    }

    @LoopActor static func read(
        _ row: SealedPatient, _ ring: KeyRing, _ scope: PatientScope, _ sql: any SQLSession
    ) async throws -> PersonRecord {
        let vault = try row.vault(ring, scope)
        let sealed = try await VisitStore(sql: sql, scope: scope).history(of: row.id, before: nil, limit: 10_000)
        let words = VisitWordsStore(sql: sql, vault: vault)
        var visits: [Whole] = []
        for visit in sealed {
            visits.append(
                Whole(
                    visit: try visit.open(vault), notes: try await words.notes(of: visit.id),
                    addenda: try await words.addenda(of: visit.id),
                    prescriptions: try await PrescriptionStore(sql: sql, vault: vault).all(of: visit.id)))
        }
        return PersonRecord(
            patient: Patient(row, personal: try Personal(stored: row.open(ring, scope))), visits: visits,
            consents: try await ConsentRoutes.all(of: row.id, scope, sql))
    }

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("patient", PatientView(patient))
            $0.field("visits", visits)
            $0.field("consents", consents)
        }
    }
}
