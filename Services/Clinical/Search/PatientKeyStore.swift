import Loop
import Postgres
import Primitives

/// Every statement that touches the `patient_key` table.
@LoopActor struct PatientKeyStore {
    let sql: any SQLSession

    /// One statement for all keys of a patient: about 24 of them.
    func insert(_ keys: [Int64], of patient: PatientID) async throws {
        try await sql.run("insert into patient_key (key, patient_id) select unnest(\(keys)::bigint[]), \(patient)")
    }

    func delete(_ keys: [Int64], of patient: PatientID) async throws {
        try await sql.run("delete from patient_key where patient_id = \(patient) and key = any(\(keys)::bigint[])")
    }

    /// Patients who have one of `first`, and one of each list in `others`: those under the most telling key of
    /// `first` come first, and no key brings more than `limit`, however popular the name.
    func candidates(first: [Int64], others: [[Int64]], limit: Int) async throws -> [SealedPatient] {
        var also: SQL = ""
        for keys in others {
            // A subquery with a limit is looked up for each candidate; without it Postgres may gather every patient
            // of a popular name before it compares.
            also = """
                \(also) and (
                    select true from patient_key o
                    where o.patient_id = k.patient_id and o.key = any(\(keys)::bigint[]) limit 1)
                """
        }
        return try await sql.all(
            """
            select p.id, p.mrn, p.location_id, p.registered_at, p.active, p.version, p.data_key, p.personal
            from (
                select found.patient_id, min(asked.position) as position
                from unnest(\(first)::bigint[]) with ordinality as asked (key, position)
                cross join lateral (
                    select k.patient_id from patient_key k
                    where k.key = asked.key \(also)
                    limit \(limit)
                ) found
                group by found.patient_id
                order by position
                limit \(limit)
            ) best
            join patient p on p.id = best.patient_id
            """, as: SealedPatient.init(row:))
    }
}
