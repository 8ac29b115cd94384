import Bootstrap
import Contracts
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// Erases patients by destroying their keys, on the day the law allows and no earlier.
@LoopActor struct ErasePatients {
    let host: Host

    /// What a tenant keeps when it has said nothing: the longest of the common duties for adults' records.
    nonisolated static let defaultYears = 10

    enum Refusal: Error {
        case held
        case openVisit
        case seen
        case unknown
    }

    /// Erases in the transaction of whoever asked, or of the sweep, when the law allows it today; otherwise the record
    /// stays, and the answer is the first lawful day, which the request waits for.
    ///
    /// That day is reckoned here, each time and under the lock of the patient's row: since somebody asked, the patient
    /// may have come again, and the years may have become more.
    func erase(
        _ patient: PatientID, on ground: Ground, today: LocalDate, at now: Timestamp, _ tx: Transaction
    ) async throws -> LocalDate? {
        let found = try await tx.first(
            "select version, held_at is not null, erased_at is not null from patient where id = \(patient) for update",
            as: { row in
                (
                    version: try row.next(as: Int.self), isHeld: try row.next(as: Bool.self),
                    isErased: try row.next(as: Bool.self)
                )
            })
        guard let found, !found.isErased else { throw Refusal.unknown }
        // A statement of its own: it sees the visit that the lock waited for. A visit begun later waits for us.
        let seen = try await visits(of: patient, tx)
        // Prescriptions and invoices are of a visit: who has none of these has none of those.
        if ground == .registeredInError, seen.count > 0 { throw Refusal.seen }
        if let keptUntil = seen.keptUntil, keptUntil > today {
            try await tx.run(
                "update erasure set not_before = \(keptUntil) where patient_id = \(patient) and done_at is null")
            return keptUntil
        }
        if found.isHeld { throw Refusal.held }
        if seen.isOpen { throw Refusal.openVisit }
        try await destroy(patient, version: found.version, at: now, tx)
        return nil
    }

    /// What the patient's visits mean for the law: nobody keeps the record of a person who was never seen.
    private func visits(
        of patient: PatientID, _ tx: Transaction
    ) async throws -> (count: Int, isOpen: Bool, keptUntil: LocalDate?) {
        try await tx.first(
            """
            select count(*)::int, coalesce(bool_or(status = 'in_progress'), false),
                   (max(local_date) + make_interval(years => coalesce((select years from retention), \(Self.defaultYears))))::date
            from visit where patient_id = \(patient)
            """,
            as: { row in (try row.next(), try row.next(), try row.next()) }) ?? (0, false, nil)
    }

    private func destroy(_ patient: PatientID, version: Int, at now: Timestamp, _ tx: Transaction) async throws {
        try await DataKeyStore(sql: tx).destroy(patient)
        try await IdempotentRequest.forget(patient, tx)
        try await tx.run("delete from patient_key where patient_id = \(patient)")
        try await tx.run(
            """
            update patient set active = false, erased_at = \(now), personal = '', external_ref = null,
                               version = \(version + 1)
            where id = \(patient)
            """)
        try await tx.run("select erase_codes(\(patient))")
        try await tx.run("update erasure set done_at = \(now) where patient_id = \(patient)")
        // Bookings close as they do for any record that closes.
        try tx.announce(PatientInactivated(patientID: patient), revision: version + 1)
        try tx.announce(PatientErased(patientID: patient), revision: version + 1)
        try tx.audit(
            "erase", "patient", patient.description, of: patient, before: JSONObject([("erased", .bool(false))]),
            after: JSONObject([("erased", .bool(true))]))
    }

    enum Ground: String, CaseIterable, Sendable, JSONReadable, SQLReadable, SQLBindable {
        case patientRequest = "patient_request"
        case consentWithdrawn = "consent_withdrawn"
        case registeredInError = "registered_in_error"
    }

    // MARK: what waited for its day

    nonisolated var worker: Worker {
        Worker("erasures", every: .seconds(3600)) { try await sweep() }
    }

    /// Whoever is held, or being seen, waits for the next time.
    func sweep() async throws {
        let now = host.now()
        let today = Zone.utc.localDate(of: now)
        for tenant in try await host.keys.tenants() {
            let due = try await host.db.reader(for: tenant).all(
                """
                select patient_id, ground from erasure where done_at is null and not_before <= \(today)
                order by not_before limit 1000
                """, as: { row in (try row.next(as: PatientID.self), try row.next(as: Ground.self)) })
            for (patient, ground) in due {
                do {
                    _ = try await host.transaction(for: tenant, as: .system(tenant)) { tx in
                        try await erase(patient, on: ground, today: today, at: now, tx)
                    }
                } catch is Refusal { continue }
            }
        }
    }
}
