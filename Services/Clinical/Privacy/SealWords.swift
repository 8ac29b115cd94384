import Bootstrap
import Loop
import Messaging
import Postgres
import Primitives

/// Seals what was measured and prescribed before that was sealed: some at a time, while everything runs, of signed visits
/// too. It ends when nothing is left, and does nothing ever after.
@LoopActor struct SealWords {
    let host: Host
    let keys: TenantKeys

    nonisolated var worker: Worker {
        Worker("seal-words", every: .seconds(3600)) { try await sweep() }
    }

    func sweep() async throws {
        for tenant in try await host.keys.tenants() {
            while try await sealSome(of: tenant) > 0 {}
        }
    }

    private func sealSome(of tenant: TenantID) async throws -> Int {
        guard let ring = try await keys.existing(tenant) else { return 0 }
        return try await host.transaction(for: tenant, as: .system(tenant)) { tx in
            let measured = try await Self.measured(tx)
            for row in measured {
                let box = try row.owner.vault(in: tenant, ring).seal(row.value, row.loinc, of: row.visit)
                try await tx.run("select seal_observation(\(row.visit), \(row.loinc), \(box))")
            }
            let prescribed = try await Self.prescribed(tx)
            for row in prescribed {
                let vault = try row.owner.vault(in: tenant, ring)
                let box = try vault.seal(vault.open(row.words, of: row.item), of: row.item)
                try await tx.run("select seal_prescription_item(\(row.item), \(box))")
            }
            return measured.count + prescribed.count
        }
    }

    /// Whose key seals a row. Rows of the erased are gone with their keys.
    private struct Owner {
        let patient: PatientID
        let dataKey: [UInt8]

        init(row: inout Row) throws {
            patient = try row.next()
            dataKey = try row.next(as: Bytes.self).array
        }

        @LoopActor func vault(in tenant: TenantID, _ ring: KeyRing) throws -> PatientVault {
            try PatientVault(of: patient, tenant: tenant, wrappedKey: dataKey, ring: ring.wrapping, leaving: nil)
        }
    }

    /// Locked: a value of an open visit may be measured again meanwhile.
    private static func measured(_ tx: Transaction) async throws -> [(owner: Owner, visit: VisitID, loinc: String, value: Double)] {
        try await tx.all(
            """
            select v.patient_id, k.wrapped, o.visit_id, o.code, o.value
            from visit_observation o join visit v on v.id = o.visit_id join data_key k on k.person_id = v.patient_id
            where o.sealed_value is null limit 200 for update of o skip locked
            """,
            as: { row in (owner: try Owner(row: &row), visit: try row.next(), loinc: try row.next(), value: try row.next()) })
    }

    /// Nobody but this worker may change these.
    private static func prescribed(_ tx: Transaction) async throws -> [(owner: Owner, item: PrescriptionItemID, words: RestingItemWords)] {
        try await tx.all(
            """
            select r.patient_id, k.wrapped, i.id, \(RestingItemWords.columns)
            from prescription_item i join prescription r on r.id = i.prescription_id join data_key k on k.person_id = r.patient_id
            where i.sealed_medicine is null limit 200
            """,
            as: { row in (owner: try Owner(row: &row), item: try row.next(), words: try RestingItemWords(row: &row)) })
    }
}
