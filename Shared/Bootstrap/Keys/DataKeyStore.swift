import Access
import Cryptography
import Loop
import Postgres
import Primitives

/// Every statement that touches `data_key`, but those of stores that join it to their own rows.
@LoopActor package struct DataKeyStore {
    let sql: any SQLSession

    package init(sql: any SQLSession) { self.sql = sql }

    /// Nil when the patient's key was destroyed, or nothing personal was ever kept here.
    package func vault(
        of patient: PatientID, in tenant: TenantID, _ ring: KeyChain, leaving trail: ReadTrail?
    ) async throws -> PatientVault? {
        let wrapped = try await sql.first(
            "select wrapped from data_key where person_id = \(patient)", as: { try $0.next(as: Bytes.self).array })
        return try wrapped.map {
            try PatientVault(of: patient, tenant: tenant, wrappedKey: $0, ring: ring, leaving: trail)
        }
    }

    /// The vaults of those of `patients` who have one here.
    package func vaults(
        of patients: [PatientID], in tenant: TenantID, _ ring: KeyChain, leaving trail: ReadTrail?
    ) async throws -> [PatientID: PatientVault] {
        let rows = try await sql.all(
            "select person_id, wrapped from data_key where person_id = any(\(patients)::uuid[])",
            as: { row in (try row.next(as: PatientID.self), try row.next(as: Bytes.self).array) })
        var vaults: [PatientID: PatientVault] = [:]
        for (patient, wrapped) in rows {
            vaults[patient] = try PatientVault(
                of: patient, tenant: tenant, wrappedKey: wrapped, ring: ring, leaving: trail)
        }
        return vaults
    }

    /// The patient's vault, made now if need be.
    package func vaultForWriting(
        of patient: PatientID, in tenant: TenantID, _ ring: KeyChain
    ) async throws -> PatientVault {
        if let known = try await vault(of: patient, in: tenant, ring, leaving: nil) { return known }
        let fresh = try PatientVault(new: patient, of: tenant, ring: ring)
        try await insert(fresh)
        // Somebody else may have been first.
        return try await vault(of: patient, in: tenant, ring, leaving: nil) ?? fresh
    }

    package func insert(_ vault: PatientVault) async throws {
        try await sql.run(
            """
            insert into data_key (person_id, wrapped) values (\(vault.patient), \(Bytes(vault.wrappedKey)))
            on conflict (person_id) do nothing
            """)
    }

    /// Erases: whatever was sealed under the patient's key here cannot be read any more.
    @discardableResult package func destroy(_ patient: PatientID) async throws -> Bool {
        try await sql.run("delete from data_key where person_id = \(patient)") > 0
    }
}
