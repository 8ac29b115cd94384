import Access
import Bootstrap
import Loop
import Postgres
import Primitives

/// Every statement that touches `prescription_card` and its items.
@LoopActor struct PrescriptionCardStore {
    let sql: any SQLSession
    let scope: PatientScope

    func find(_ id: PrescriptionID) async throws -> PrescriptionCard? {
        try await read(
            """
            select prescription_id, patient_id, prescribed_by, valid_until, status, dispensings from prescription_card
            where prescription_id = \(id) and \(scope.clause("patient_id"))
            """)
    }

    /// Concurrent dispensings of one prescription wait here: whoever comes second finds nothing left.
    func findForUpdate(_ id: PrescriptionID) async throws -> PrescriptionCard? {
        try await read(
            """
            select prescription_id, patient_id, prescribed_by, valid_until, status, dispensings from prescription_card
            where prescription_id = \(id) and \(scope.clause("patient_id")) for update
            """)
    }

    /// Keeps what clinical says. What was already handed out stays as it is.
    func keep(_ card: PrescriptionCard) async throws {
        try await sql.run(
            """
            insert into prescription_card as c (prescription_id, patient_id, prescribed_by, valid_until, status)
            values (\(card.id), \(card.patient), \(card.prescriber), \(card.validUntil), \(card.status))
            on conflict (prescription_id) do update
                set prescribed_by = coalesce(c.prescribed_by, excluded.prescribed_by),
                    valid_until = excluded.valid_until, status = excluded.status
                where (c.prescribed_by, c.valid_until, c.status)
                    is distinct from (coalesce(c.prescribed_by, excluded.prescribed_by), excluded.valid_until, excluded.status)
            """)
        for (position, item) in card.items.enumerated() where item.prescribed > 0 {
            try await sql.run(
                """
                insert into prescription_item_card (item_id, prescription_id, medicine_id, position, prescribed)
                values (\(item.id), \(card.id), \(item.medicine), \(position), \(item.prescribed))
                on conflict (item_id) do nothing
                """)
        }
    }

    func update(_ card: PrescriptionCard) async throws {
        try await sql.run(
            "update prescription_card set dispensings = \(card.dispensings) where prescription_id = \(card.id)")
        for item in card.items {
            _ = try await onConstraint(
                "prescription_item_card_never_exceeded", throw: DispensingError.exceedsPrescription
            ) {
                try await sql.run(
                    """
                    update prescription_item_card set dispensed = \(item.dispensed)
                    where item_id = \(item.id) and dispensed <> \(item.dispensed)
                    """)
            }
        }
    }

    private func read(_ statement: SQL) async throws -> PrescriptionCard? {
        guard var card = try await sql.first(statement, as: PrescriptionCard.init(row:)) else { return nil }
        card.items = try await sql.all(
            """
            select item_id, medicine_id, prescribed, dispensed from prescription_item_card
            where prescription_id = \(card.id) order by position
            """, as: PrescriptionCard.Item.init(row:))
        return card
    }
}

extension PrescriptionCard {
    init(row: inout Row) throws {
        id = try row.next()
        patient = try row.next()
        prescriber = try row.next()
        validUntil = try row.next()
        status = try row.next()
        dispensings = try row.next()
        items = []
    }
}

extension PrescriptionCard.Item {
    init(row: inout Row) throws {
        id = try row.next()
        medicine = try row.next()
        prescribed = try row.next()
        dispensed = try row.next()
    }
}
