import Loop
import Postgres
import Primitives

/// Every statement that touches the `medicine` table.
@LoopActor struct MedicineStore {
    let sql: any SQLSession

    private static let columns = """
        id, name, generic_name, form, strength, atc, unit_price, currency, tax_basis_points, reorder_level,
        pack_size, active, version
        """

    func find(_ id: MedicineID) async throws -> Medicine? {
        try await sql.first(
            "select \(unsafe: Self.columns) from medicine where id = \(id)", as: Medicine.init(row:))
    }

    /// Holds the row against other changes, but not against batches and movements that only refer to it.
    func findForUpdate(_ id: MedicineID) async throws -> Medicine? {
        try await sql.first(
            "select \(unsafe: Self.columns) from medicine where id = \(id) for no key update",
            as: Medicine.init(row:))
    }

    /// In the order of their identifiers, for a caller that looks them up by one.
    func find(_ ids: [MedicineID]) async throws -> [Medicine] {
        try await sql.all(
            "select \(unsafe: Self.columns) from medicine where id = any(\(ids)::uuid[]) order by id",
            as: Medicine.init(row:))
    }

    func insert(_ medicine: Medicine, at now: Timestamp) async throws {
        try await sql.run(
            """
            insert into medicine (id, name, generic_name, form, strength, atc, unit_price, currency,
                tax_basis_points, reorder_level, pack_size, active, version, created_at)
            values (\(medicine.id), \(medicine.name), \(medicine.genericName), \(medicine.form),
                \(medicine.strength), \(medicine.atc), \(medicine.unitPrice.amount),
                \(medicine.unitPrice.currency), \(medicine.tax.basisPoints), \(medicine.reorderLevel),
                \(medicine.packSize), \(medicine.isActive), \(medicine.version), \(now))
            """)
    }

    /// Writes the medicine whole; the caller holds its row and has raised the version.
    func update(_ medicine: Medicine) async throws {
        try await sql.run(
            """
            update medicine set name = \(medicine.name), generic_name = \(medicine.genericName),
                form = \(medicine.form), strength = \(medicine.strength), atc = \(medicine.atc),
                unit_price = \(medicine.unitPrice.amount), currency = \(medicine.unitPrice.currency),
                tax_basis_points = \(medicine.tax.basisPoints), reorder_level = \(medicine.reorderLevel),
                pack_size = \(medicine.packSize), active = \(medicine.isActive), version = \(medicine.version)
            where id = \(medicine.id)
            """)
    }

    /// A page of the catalogue by name, with what is usable of each on `today`.
    func page(
        search: String?, active: Bool?, after: (name: String, id: MedicineID)?, today: LocalDate, limit: Int
    ) async throws -> [StockedMedicine] {
        try await sql.all(
            """
            select \(unsafe: Self.columns), lower(name), \(Self.usable(today))
            from medicine
            where (\(search)::text is null
                    or strpos(lower(name || ' ' || coalesce(generic_name, '')), lower(\(search)::text)) > 0)
                and (\(active)::boolean is null or active = \(active)::boolean)
                and (\(after?.name)::text is null
                    or (lower(name), id) > (\(after?.name)::text, \(after?.id)::uuid))
            order by lower(name), id
            limit \(limit)
            """, as: StockedMedicine.init(row:))
    }

    /// Active medicines below their reorder level, those that are out included, by name.
    func low(after: (name: String, id: MedicineID)?, today: LocalDate, limit: Int) async throws -> [StockedMedicine] {
        try await sql.all(
            """
            select * from (
                select \(unsafe: Self.columns), lower(name) as sort_name, \(Self.usable(today)) as usable
                from medicine
                where active
            ) as stocked
            where usable < greatest(1, reorder_level)
                and (\(after?.name)::text is null
                    or (sort_name, id) > (\(after?.name)::text, \(after?.id)::uuid))
            order by sort_name, id
            limit \(limit)
            """, as: StockedMedicine.init(row:))
    }

    /// Units of one medicine that may be handed out on `today`.
    func usable(_ id: MedicineID, today: LocalDate) async throws -> Int {
        try await sql.first(
            """
            select coalesce(sum(on_hand), 0)::bigint from batch
            where medicine_id = \(id) and on_hand > 0 and not quarantined and expiry_date >= \(today)
            """, as: { row in try row.next(as: Int.self) }) ?? 0
    }

    private static func usable(_ today: LocalDate) -> SQL {
        """
        (select coalesce(sum(on_hand), 0)::bigint from batch
            where medicine_id = medicine.id and on_hand > 0 and not quarantined and expiry_date >= \(today)::date)
        """
    }
}

/// A medicine with what is usable of it: neither expired nor set aside.
struct StockedMedicine {
    let medicine: Medicine
    let sortName: String
    let usable: Int

    init(row: inout Row) throws {
        medicine = try Medicine(row: &row)
        sortName = try row.next()
        usable = try row.next()
    }
}

extension Medicine {
    init(row: inout Row) throws {
        id = try row.next()
        name = try row.next()
        genericName = try row.next()
        form = try row.next()
        strength = try row.next()
        atc = try row.next()
        let amount: Int64 = try row.next()
        unitPrice = Money(amount, try row.next())
        let points: Int = try row.next()
        tax = Percent(basisPoints: points) ?? .zero
        reorderLevel = try row.next()
        packSize = try row.next()
        isActive = try row.next()
        version = try row.next()
    }
}
