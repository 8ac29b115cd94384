import Access
import Bootstrap
import Loop
import Postgres
import Primitives

/// Every statement that touches `dispensing` and its lines. There is no update: what was handed out was.
@LoopActor struct DispensingStore {
    let sql: any SQLSession
    let scope: PatientScope

    func find(_ id: DispensingID) async throws -> Dispensing? {
        let found = try await sql.first(
            """
            select id, prescription_id, patient_id, complete, dispensed_by, at, local_date from dispensing
            where id = \(id) and \(scope.clause("patient_id"))
            """, as: Dispensing.init(row:))
        guard var dispensing = found else { return nil }
        dispensing.lines = try await sql.all(
            """
            select prescription_item_id, medicine_id, batch_id, lot_number, expiry_date, quantity
            from dispensing_line where dispensing_id = \(id) order by position
            """, as: Dispensing.Line.init(row:))
        return dispensing
    }

    /// `dispensing_by_another` is the real guard: nobody hands out what they prescribed.
    func insert(_ dispensing: Dispensing, prescribedBy prescriber: AccountID?) async throws {
        _ = try await onConstraint("dispensing_by_another", throw: DispensingError.ownPrescription) {
            try await sql.run(
                """
                insert into dispensing (id, prescription_id, patient_id, complete, prescribed_by, dispensed_by, at,
                    local_date)
                values (\(dispensing.id), \(dispensing.prescription), \(dispensing.patient), \(dispensing.complete),
                    \(prescriber), \(dispensing.dispensedBy), \(dispensing.at), \(dispensing.localDate))
                """)
        }
        for (position, line) in dispensing.lines.enumerated() {
            try await sql.run(
                """
                insert into dispensing_line (dispensing_id, position, prescription_item_id, medicine_id, batch_id,
                    lot_number, expiry_date, quantity)
                values (\(dispensing.id), \(position), \(line.item), \(line.medicine), \(line.batch),
                    \(line.lotNumber), \(line.expiry), \(line.quantity))
                """)
        }
    }
}

extension Dispensing {
    init(row: inout Row) throws {
        id = try row.next()
        prescription = try row.next()
        patient = try row.next()
        complete = try row.next()
        dispensedBy = try row.next()
        at = try row.next()
        localDate = try row.next()
        lines = []
    }
}

extension Dispensing.Line {
    init(row: inout Row) throws {
        item = try row.next()
        medicine = try row.next()
        batch = try row.next()
        lotNumber = try row.next()
        expiry = try row.next()
        quantity = try row.next()
    }
}
