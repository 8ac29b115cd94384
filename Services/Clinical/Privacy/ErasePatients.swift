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
        case unknown
    }

    /// From which day on the record may go; nil for at once. A person who was never seen need not be kept.
    func notBefore(_ patient: PatientID, ground: Ground, _ tx: Transaction) async throws -> LocalDate? {
        if ground == .registeredInError { return nil }
        let facts = try await tx.first(
            """
            select (select (max(local_date) + make_interval(years => coalesce((select years from retention), \(Self.defaultYears))))::date
                    from visit where patient_id = \(patient))
            """, as: { try $0.next(as: LocalDate?.self) })
        return facts ?? nil
    }

    /// In the transaction of whoever asked, or of the sweep.
    func erase(_ patient: PatientID, at now: Timestamp, _ tx: Transaction) async throws {
        let found = try await tx.first(
            """
            select version, held_at is not null, erased_at is not null,
                   exists (select from visit where patient_id = \(patient) and status = 'in_progress')
            from patient where id = \(patient) for update
            """,
            as: { row in
                (
                    version: try row.next(as: Int.self), isHeld: try row.next(as: Bool.self),
                    isErased: try row.next(as: Bool.self), isSeen: try row.next(as: Bool.self)
                )
            })
        guard let found, !found.isErased else { throw Refusal.unknown }
        if found.isHeld { throw Refusal.held }
        if found.isSeen { throw Refusal.openVisit }

        try await DataKeyStore(sql: tx).destroy(patient)
        try await tx.run("delete from patient_key where patient_id = \(patient)")
        try await tx.run(
            """
            update patient set active = false, erased_at = \(now), personal = '', external_ref = null,
                               version = \(found.version + 1)
            where id = \(patient)
            """)
        try await tx.run("select erase_codes(\(patient))")
        try await tx.run("update erasure set done_at = \(now) where patient_id = \(patient)")
        // Bookings close as they do for any record that closes.
        try tx.announce(PatientInactivated(patientID: patient), revision: found.version + 1)
        try tx.announce(PatientErased(patientID: patient), revision: found.version + 1)
        try tx.audit(
            "erase", "patient", patient.description, of: patient, before: JSONObject([("erased", .bool(false))]),
            after: JSONObject([("erased", .bool(true))]))
    }

    enum Ground: String, CaseIterable, Sendable, JSONReadable, SQLBindable {
        case patientRequest = "patient_request"
        case consentWithdrawn = "consent_withdrawn"
        case registeredInError = "registered_in_error"
    }

    // MARK: what waited for its day

    nonisolated var worker: Worker {
        Worker("erasures") {
            while true {
                try await sweep()
                try await EventLoop.sleep(for: .seconds(3600))
            }
        }
    }

    /// Whoever is held, or being seen, waits for the next time.
    func sweep() async throws {
        let tenants = try await host.db.systemReader.all(
            "select tenant_id from keyed_tenant limit 100000", as: { try $0.next(as: TenantID.self) })
        for tenant in tenants {
            let due = try await host.db.reader(for: tenant).all(
                """
                select patient_id from erasure where done_at is null and not_before <= current_date
                order by not_before limit 1000
                """, as: { try $0.next(as: PatientID.self) })
            for patient in due {
                do {
                    try await host.transaction(for: tenant, as: .system(tenant)) { tx in
                        try await erase(patient, at: host.now(), tx)
                    }
                } catch is Refusal { continue }
            }
        }
    }
}
