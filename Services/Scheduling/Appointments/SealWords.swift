import Bootstrap
import Loop
import Messaging
import Postgres
import Primitives

/// Seals what was said about appointments before that was sealed: some at a time, while everything runs. It ends when
/// nothing is left, and does nothing ever after.
@LoopActor struct SealWords {
    let host: Host

    nonisolated var worker: Worker {
        Worker("seal-words", every: .seconds(3600)) { try await sweep() }
    }

    func sweep() async throws {
        for tenant in try await host.keys.tenants() {
            while try await sealSome(of: tenant) > 0 {}
        }
    }

    private func sealSome(of tenant: TenantID) async throws -> Int {
        let words = AppointmentWords(host: host, tenant: tenant, trail: nil)
        let ring = try await words.ring(toSeal: "")
        return try await host.transaction(for: tenant, as: .system(tenant)) { tx in
            let rows = try await tx.all(
                """
                select id, patient_id, reason, cancel_reason from appointment
                where reason is not null or cancel_reason is not null
                limit 200 for update skip locked
                """,
                as: { row in
                    (
                        id: try row.next(as: AppointmentID.self), patient: try row.next(as: PatientID.self),
                        reason: try row.next(as: String?.self), cancelReason: try row.next(as: String?.self)
                    )
                })
            for row in rows {
                let reason = try await words.seal(row.reason, .reason, of: row.id, row.patient, ring, tx)
                let cancel = try await words.seal(row.cancelReason, .cancelReason, of: row.id, row.patient, ring, tx)
                try await tx.run(
                    """
                    update appointment
                    set sealed_reason = coalesce(sealed_reason, \(reason.map { Bytes($0.bytes) })), reason = null,
                        sealed_cancel_reason = coalesce(sealed_cancel_reason, \(cancel.map { Bytes($0.bytes) })),
                        cancel_reason = null
                    where id = \(row.id)
                    """)
            }
            return rows.count
        }
    }
}
