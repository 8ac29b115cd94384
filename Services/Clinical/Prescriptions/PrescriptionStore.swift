import Access
import Bootstrap
import JSON
import Loop
import Postgres
import Primitives

/// Every statement that touches `prescription` and `prescription_item`, but those of `SealWords`. Rows are only ever added.
@LoopActor struct PrescriptionStore {
    let sql: any SQLSession
    let vault: PatientVault

    func insert(_ prescription: Prescription, alerts: [SafetyCheck.Alert]) async throws {
        let words = PrescriptionWords(
            overrideReason: prescription.overrideReason, instructions: prescription.items.map(\.instructions),
            alerts: alerts)
        let sealed = try vault.seal(words.stored, "prescription", "words", row: prescription.id.description)
        try await sql.run(
            """
            insert into prescription (id, visit_id, patient_id, practitioner_id, issued_at, local_date, valid_until, words)
            values (\(prescription.id), \(prescription.visit), \(prescription.patient), \(prescription.practitioner),
                    \(prescription.issuedAt), \(prescription.localDate), \(prescription.validUntil), \(Bytes(sealed)))
            """)
        let items = prescription.items
        let boxes = try items.map { try vault.seal($0.words, of: $0.id) }
        try await sql.run(
            """
            insert into prescription_item (id, prescription_id, position, medicine_id, sealed_medicine, form, strength,
                                           dose_unit, frequency_per_day, duration_days, quantity, unit)
            select i.id, \(prescription.id), i.position - 1, i.medicine_id, i.box, i.form, i.strength,
                   i.dose_unit, i.frequency, i.days, i.quantity, i.unit
            from unnest(\(items.map(\.id))::uuid[], \(items.map(\.medicine.id))::uuid[], \(boxes)::bytea[],
                        \(items.map(\.medicine.form))::text[], \(SQLArray(items.map(\.medicine.strength)))::text[],
                        \(items.map(\.doseUnit))::text[],
                        \(items.map(\.frequencyPerDay))::int[], \(items.map(\.durationDays))::int[],
                        \(items.map(\.quantity))::int[], \(items.map(\.unit))::text[])
                 with ordinality as i (id, medicine_id, box, form, strength, dose_unit,
                                       frequency, days, quantity, unit, position)
            """)
    }

    func find(_ id: PrescriptionID) async throws -> Prescription? {
        try await read("p.id = \(id)").first
    }

    /// In the order they were issued.
    func all(of visit: VisitID) async throws -> [Prescription] { try await read("p.visit_id = \(visit)") }

    /// Medicines whose course is not over on `today`, as far as `scope` sees the patient.
    func current(on today: LocalDate, in scope: PatientScope) async throws -> [SafetyCheck.Medicine] {
        let rows = try await sql.all(
            """
            select distinct on (i.medicine_id) i.medicine_id, i.id, \(RestingItemWords.columns)
            from prescription r join prescription_item i on i.prescription_id = r.id join patient p on p.id = r.patient_id
            where r.patient_id = \(vault.patient) and r.valid_until >= \(today)
              and r.local_date + i.duration_days > \(today) and \(scope.clause)
            order by i.medicine_id
            limit 500
            """,
            as: { row in
                (id: try row.next(as: MedicineID.self), item: try row.next(as: PrescriptionItemID.self), words: try RestingItemWords(row: &row))
            })
        return try rows.map { row in
            let words = try vault.open(row.words, of: row.item)
            return SafetyCheck.Medicine(id: row.id, name: words.name, genericName: words.genericName, atc: words.atc)
        }
    }

    private func read(_ condition: SQL) async throws -> [Prescription] {
        let rows = try await sql.all(
            """
            select p.id, p.visit_id, p.patient_id, p.practitioner_id, p.issued_at, p.local_date, p.valid_until, p.words,
                   i.id, i.medicine_id, \(RestingItemWords.columns), i.form, i.strength, i.dose_unit,
                   i.frequency_per_day, i.duration_days, i.quantity, i.unit
            from prescription p join prescription_item i on i.prescription_id = p.id
            where \(condition)
            order by p.id, i.position
            limit 5000
            """, as: PrescriptionRow.init(row:))
        return try PrescriptionRow.grouped(rows).map { try prescription($0) }
    }

    private func prescription(_ rows: [PrescriptionRow]) throws -> Prescription {
        guard let head = rows.first else { throw PostgresError(.decoding, message: "a prescription without items") }
        let words = try PrescriptionWords(
            stored: vault.open(head.words, "prescription", "words", row: head.id.description))
        return Prescription(
            id: head.id, visit: head.visit, patient: head.patient, practitioner: head.practitioner,
            issuedAt: head.issuedAt, localDate: head.localDate, validUntil: head.validUntil,
            items: try rows.enumerated().map { index, row in
                let item = try vault.open(row.itemWords, of: row.item)
                return PrescriptionItem(
                    id: row.item,
                    medicine: MedicineCard(
                        id: row.medicine, name: item.name, genericName: item.genericName, form: row.form,
                        strength: row.strength, atc: item.atc),
                    dose: item.dose, doseUnit: row.doseUnit,
                    frequencyPerDay: row.frequencyPerDay, durationDays: row.durationDays, quantity: row.quantity,
                    unit: row.unit, instructions: index < words.instructions.count ? words.instructions[index] : nil)
            },
            overrideReason: words.overrideReason)
    }
}

/// What needs no key: who a prescription belongs to.
@LoopActor struct PrescriptionIndex {
    let sql: any SQLSession
    let scope: PatientScope

    struct Owner {
        let patient: PatientID
        let dataKey: [UInt8]
        let ground: String
    }

    func owner(of id: PrescriptionID) async throws -> Owner? {
        try await sql.first(
            """
            select r.patient_id, k.wrapped, \(scope.ground)
            from prescription r join patient p on p.id = r.patient_id join data_key k on k.person_id = p.id
            where r.id = \(id) and \(scope.clause)
            """
        ) { row in
            Owner(patient: try row.next(), dataKey: try row.next(as: Bytes.self).array, ground: try row.next())
        }
    }
}

private struct PrescriptionRow {
    let id: PrescriptionID
    let visit: VisitID
    let patient: PatientID
    let practitioner: AccountID
    let issuedAt: Timestamp
    let localDate: LocalDate
    let validUntil: LocalDate
    let words: [UInt8]
    let item: PrescriptionItemID
    let medicine: MedicineID
    let itemWords: RestingItemWords
    let form: String
    let strength: String?
    let doseUnit: String
    let frequencyPerDay: Int
    let durationDays: Int
    let quantity: Int
    let unit: String

    init(row: inout Row) throws {
        id = try row.next()
        visit = try row.next()
        patient = try row.next()
        practitioner = try row.next()
        issuedAt = try row.next()
        localDate = try row.next()
        validUntil = try row.next()
        words = try row.next(as: Bytes.self).array
        item = try row.next()
        medicine = try row.next()
        itemWords = try RestingItemWords(row: &row)
        form = try row.next()
        strength = try row.next()
        doseUnit = try row.next()
        frequencyPerDay = try row.next()
        durationDays = try row.next()
        quantity = try row.next()
        unit = try row.next()
    }

    /// Rows of one prescription stand together.
    static func grouped(_ rows: [PrescriptionRow]) -> [[PrescriptionRow]] {
        var groups: [[PrescriptionRow]] = []
        for row in rows {
            if groups.last?.first?.id == row.id {
                groups[groups.count - 1].append(row)
            } else {
                groups.append([row])
            }
        }
        return groups
    }
}
