import Access
import Loop
import Postgres
import Primitives

/// Every statement that touches the `patient_key` table.
@LoopActor struct PatientKeyStore {
    let sql: any SQLSession
    let scope: PatientScope

    /// One statement for all keys of a patient: about 24 of them.
    func insert(_ keys: [Int64], of patient: PatientID) async throws {
        try await sql.run("insert into patient_key (key, patient_id) select unnest(\(keys)::bigint[]), \(patient)")
    }

    func delete(_ keys: [Int64], of patient: PatientID) async throws {
        try await sql.run("delete from patient_key where patient_id = \(patient) and key = any(\(keys)::bigint[])")
    }

    /// Patients under any of `keys`, those under the most telling first. No key brings more than `limit`, however
    /// popular the name.
    func candidates(any keys: [Int64], limit: Int) async throws -> [SealedPatient] {
        try await sql.all(
            """
            select \(unsafe: PatientStore.columns), \(scope.ground)
            from (
                select found.patient_id, min(asked.position) as position
                from unnest(\(keys)::bigint[]) with ordinality as asked (key, position)
                cross join lateral (
                    select k.patient_id from patient_key k where k.key = asked.key limit \(limit)
                ) found
                group by found.patient_id
                order by position
                limit \(limit)
            ) best
            join patient p on p.id = best.patient_id and \(scope.clause)
            join data_key k on k.person_id = p.id
            """, as: SealedPatient.init(row:))
    }

    /// Patients who have one key of every list: one list per word. An intersection of index-only scans was the
    /// fastest of the plans measured; looking each candidate up cost seconds where both words are popular.
    func candidates(all words: [[Int64]], limit: Int) async throws -> [SealedPatient] {
        var found: SQL = ""
        for (index, keys) in words.enumerated() {
            found = """
                \(found) \(unsafe: index == 0 ? "" : "intersect")
                select patient_id from patient_key where key = any(\(keys)::bigint[])
                """
        }
        return try await sql.all(
            """
            select \(unsafe: PatientStore.columns), \(scope.ground) from \(unsafe: PatientStore.source)
            where \(scope.clause) and p.id = any(array(\(found) limit \(limit)))
            """, as: SealedPatient.init(row:))
    }
}
