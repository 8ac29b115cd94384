import Access
import Bootstrap
import Contracts
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// A medicine as pharmacy lists it: our small copy, for prescribing.
struct MedicineCard: Sendable, Equatable {
    let id: MedicineID
    let name: String
    let genericName: String?
    let form: String
    let strength: String?
    let atc: String?
    var active = true

    var checked: SafetyCheck.Medicine {
        SafetyCheck.Medicine(id: id, name: name, genericName: genericName, atc: atc)
    }
}

/// Every statement that touches `medicine_card`.
@LoopActor struct MedicineCardStore {
    let sql: any SQLSession

    func find(_ ids: [MedicineID]) async throws -> [MedicineID: MedicineCard] {
        let cards = try await sql.all(
            """
            select id, name, generic_name, form, strength, atc, active from medicine_card
            where id = any(\(ids)::uuid[])
            """
        ) { row in
            MedicineCard(
                id: try row.next(), name: try row.next(), genericName: try row.next(), form: try row.next(),
                strength: try row.next(), atc: try row.next(), active: try row.next())
        }
        return Dictionary(cards.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// A card asked for (revision 0) never overrides one that an event brought, unless it is newer by being asked now.
    func save(_ card: MedicineCard, revision: Int?) async throws {
        try await sql.run(
            """
            insert into medicine_card as c (id, name, generic_name, form, strength, atc, active, revision)
            values (\(card.id), \(card.name), \(card.genericName), \(card.form), \(card.strength), \(card.atc),
                    \(card.active), \(revision ?? 0))
            on conflict (id) do update
            set name = excluded.name, generic_name = excluded.generic_name, form = excluded.form,
                strength = excluded.strength, atc = excluded.atc, active = excluded.active,
                revision = greatest(c.revision, excluded.revision)
            where \(revision)::int is null or c.revision < \(revision)
            """)
    }
}

/// Finds the cards of ordered medicines, asking pharmacy once for what is missing or closed here.
@LoopActor struct FindMedicines {
    let host: Host
    let caller: Principal

    func cards(for ids: [MedicineID]) async throws -> [MedicineID: MedicineCard] {
        let db = host.db
        var cards = try await MedicineCardStore(sql: db.reader(for: caller.tenant)).find(ids)
        for id in Set(ids) where cards[id]?.active != true {
            guard let answer = try await host.cards.ask("pharmacy", "/internal/cards/medicines/\(id)", as: caller) else {
                cards[id] = nil
                continue
            }
            let card = MedicineCard(
                id: id, name: try answer.required("name"), genericName: try answer.optional("genericName"),
                form: try answer.required("form"), strength: try answer.optional("strength"),
                atc: try answer.optional("atc"), active: try answer.required("active"))
            cards[id] = card
            try await db.transaction(for: caller.tenant) { tx in
                try await MedicineCardStore(sql: tx).save(card, revision: nil)
            }
        }
        return cards
    }
}

extension Reaction {
    /// The catalogue changed: the newest card replaces the older.
    static let rememberMedicine = Reaction(to: MedicineListed.self, named: "clinical.remember-medicine") {
        listed, envelope, tx in
        let card = MedicineCard(
            id: listed.medicineID, name: listed.name, genericName: listed.genericName, form: listed.form,
            strength: listed.strength, atc: listed.atc, active: listed.active)
        try await MedicineCardStore(sql: tx).save(card, revision: envelope.revision)
    }
}
