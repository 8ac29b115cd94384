import Bootstrap
import Loop
import Messaging
import Postgres
import Primitives

/// Seals what was written on bills before that was sealed: some at a time, while everything runs. It ends when nothing
/// is left, and does nothing ever after.
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
        let ring = try await host.keys.ring(for: tenant)
        return try await host.transaction(for: tenant, as: .system(tenant)) { tx in
            let rows = try await Self.unsealed(tx)
            for row in rows {
                let vault = try await DataKeyStore(sql: tx).vaultForWriting(of: row.patient, in: tenant, ring)
                let box = try vault.seal(row.text, row.words)
                switch row.words {
                case .line(let invoice, let position):
                    try await tx.run("select seal_invoice_line(\(invoice), \(position)::int, \(box))")
                case .cancellation(let invoice):
                    try await tx.run(
                        "update invoice set sealed_cancelled_reason = \(box), cancelled_reason = null where id = \(invoice)")
                case .creditNote(let note):
                    try await tx.run("select seal_credit_note(\(note), \(box))")
                }
            }
            return rows.count
        }
    }

    private static func unsealed(_ tx: Transaction) async throws -> [(words: InvoiceWords, patient: PatientID, text: String)] {
        let lines = try await tx.all(
            """
            select l.invoice_id, l.position, i.patient_id, l.description
            from invoice_line l join invoice i on i.id = l.invoice_id where l.sealed_description is null limit 200
            """,
            as: { row in
                (
                    words: InvoiceWords.line(try row.next(), position: try row.next()),
                    patient: try row.next(as: PatientID.self), text: try row.next(as: String.self)
                )
            })
        let cancellations = try await tx.all(
            "select id, patient_id, cancelled_reason from invoice where cancelled_reason is not null limit 200 for update skip locked",
            as: { row in
                (
                    words: InvoiceWords.cancellation(try row.next()), patient: try row.next(as: PatientID.self),
                    text: try row.next(as: String.self)
                )
            })
        let notes = try await tx.all(
            """
            select n.id, i.patient_id, n.reason
            from credit_note n join invoice i on i.id = n.invoice_id where n.sealed_reason is null limit 200
            """,
            as: { row in
                (
                    words: InvoiceWords.creditNote(try row.next()), patient: try row.next(as: PatientID.self),
                    text: try row.next(as: String.self)
                )
            })
        return lines + cancellations + notes
    }
}
