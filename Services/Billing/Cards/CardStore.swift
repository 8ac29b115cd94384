import Contracts
import JSON
import Loop
import Postgres
import Primitives

/// Whose visit it was: clinical's fact, as the till needs it.
struct VisitCard: Equatable, Sendable {
    let visit: VisitID
    let patient: PatientID
    let location: LocationID
}

/// What one unit of a medicine costs: pharmacy's fact, as the till needs it.
struct MedicineCard: Equatable, Sendable {
    let id: MedicineID
    let name: String
    let strength: String?
    let unitPrice: Money
    let tax: Percent

    /// How it reads on an invoice: many names say the strength already.
    var description: String {
        guard let strength, !name.hasSuffix(strength) else { return name }
        return "\(name) \(strength)"
    }

}

extension MedicineCard {
    init(_ listed: MedicineListed) {
        self.init(
            id: listed.medicineID, name: listed.name, strength: listed.strength, unitPrice: listed.unitPrice,
            tax: Percent(basisPoints: listed.taxBasisPoints) ?? .zero)
    }
}

/// Every statement that touches the cards of other services' facts.
@LoopActor struct CardStore {
    let sql: any SQLSession

    func visit(_ id: VisitID) async throws -> VisitCard? {
        try await sql.first(
            "select visit_id, patient_id, location_id from visit_card where visit_id = \(id)",
            as: VisitCard.init(row:))
    }

    func keep(_ card: VisitCard) async throws {
        try await sql.run(
            """
            insert into visit_card (visit_id, patient_id, location_id)
            values (\(card.visit), \(card.patient), \(card.location))
            on conflict (visit_id) do nothing
            """)
    }

    func medicines(_ ids: [MedicineID]) async throws -> [MedicineCard] {
        try await sql.all(
            """
            select medicine_id, name, strength, unit_price, currency, tax_basis_points from medicine_card
            where medicine_id = any(\(ids)::uuid[])
            """, as: MedicineCard.init(row:))
    }

    /// Keeps the newest: an older revision that comes late changes nothing. What was asked for has revision 0.
    func keep(_ card: MedicineCard, revision: Int) async throws {
        try await sql.run(
            """
            insert into medicine_card (medicine_id, name, strength, unit_price, currency, tax_basis_points, revision)
            values (\(card.id), \(card.name), \(card.strength), \(card.unitPrice.amount), \(card.unitPrice.currency),
                \(card.tax.basisPoints), \(revision))
            on conflict (medicine_id) do update set name = excluded.name, strength = excluded.strength,
                unit_price = excluded.unit_price, currency = excluded.currency,
                tax_basis_points = excluded.tax_basis_points, revision = excluded.revision
            where medicine_card.revision < excluded.revision
            """)
    }
}

extension VisitCard {
    init(row: inout Row) throws {
        visit = try row.next()
        patient = try row.next()
        location = try row.next()
    }
}

extension MedicineCard {
    init(row: inout Row) throws {
        id = try row.next()
        name = try row.next()
        strength = try row.next()
        let amount: Int64 = try row.next()
        unitPrice = Money(amount, try row.next())
        let points: Int = try row.next()
        tax = Percent(basisPoints: points) ?? .zero
    }
}
