import Access
import Bootstrap
import HTTP
import JSON
import Loop
import Postgres
import Primitives

/// Closes a visit for good: its row, then the snapshot after which SQL refuses every change to its parts.
@LoopActor struct SignVisit {
    let vault: PatientVault
    let scope: PatientScope

    func sign(
        _ visit: Visit, from version: Int, findings: [UInt8], at now: Timestamp, in tx: Transaction
    ) async throws {
        guard try await VisitStore(sql: tx, scope: scope).sign(visit, from: version, findings: findings) else {
            throw Problem.staleVersion
        }
        try await takeSnapshot(of: visit, at: now, in: tx)
    }

    func takeSnapshot(of visit: Visit, at now: Timestamp, in tx: Transaction) async throws {
        guard let patient = try await PatientStore(sql: tx, scope: scope).find(visit.patient) else { throw VisitError.patientUnknown }
        let words = VisitWordsStore(sql: tx, vault: vault)
        let snapshot = VisitSnapshot(
            visit: visit, mrn: patient.mrn, notes: try await words.notes(of: visit.id),
            prescriptions: try await PrescriptionStore(sql: tx, vault: vault).all(of: visit.id))
        try await words.insert(snapshot: snapshot.jsonBytes, of: visit, signedAt: now)
    }
}

extension Visit {
    /// The part of the record that a merge patch applies to.
    var document: JSONObject {
        var document = JSONObject()
        document["chiefComplaint"] = findings.chiefComplaint.map { .string($0) }
        document["symptomDays"] = findings.symptomDays.map { .int(Int64($0)) }
        document["treatmentPlan"] = findings.treatmentPlan.map { .string($0) }
        document["diagnoses"] = .array(
            findings.diagnoses.map { diagnosis in
                var object = JSONObject([("text", .string(diagnosis.text))])
                object["code"] = diagnosis.code.map { .string($0) }
                object["system"] = diagnosis.system.map { .string($0) }
                return .object(object)
            })
        var values = JSONObject()
        for vital in Vital.allCases { values[vital.rawValue] = vitals[vital].map { .double($0) } }
        document["vitals"] = .object(values)
        return document
    }
}

extension Findings {
    /// Empty words are no words.
    var tidied: Findings {
        var copy = self
        if copy.chiefComplaint?.isEmpty == true { copy.chiefComplaint = nil }
        if copy.treatmentPlan?.isEmpty == true { copy.treatmentPlan = nil }
        return copy
    }
}
