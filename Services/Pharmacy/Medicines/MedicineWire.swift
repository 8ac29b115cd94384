import Access
import Contracts
import HTTP
import JSON
import Primitives

/// What clients send and see of a medicine.
extension MedicineRoutes {
    static let listDocs = Route.Docs(
        "List the catalogue by name",
        query: [
            .optional("search", .text(max: 100), "Part of the name or the generic name"),
            .optional("active", .boolean),
            .optional("limit", .integer(1...100)), .optional("cursor", .text(max: 500)),
        ],
        answers: [
            (200, .object([
                .required("items", .list(of: answer, max: 100)), .optional("nextCursor", .text(max: 500)),
            ]))
        ])
    static let addDocs = Route.Docs(
        "Add a medicine to the catalogue",
        body: .object([
            .required("name", .text(max: 200)), .required("form", .text(max: 60)),
            .required("unitPrice", price, "Of one dispensing unit, before tax"),
        ] + optionalFields(nullable: false)),
        answers: [(201, answer)], problems: ["currency_mismatch"])
    static let showDocs = Route.Docs("Read a medicine", answers: [(200, answer)])
    static let changeDocs = Route.Docs(
        "Change a medicine; needs If-Match",
        body: .object([
            .optional("name", .text(max: 200)), .optional("form", .text(max: 60)), .optional("unitPrice", price),
        ] + optionalFields(nullable: true)),
        answers: [(200, answer)], problems: ["currency_mismatch"], isMergePatch: true)
    static let cardDocs = Route.Docs("What other services keep of a medicine")

    private static let price = Schema.money(0...1_000_000_000)

    private static func optionalFields(nullable: Bool) -> [Schema.Field] {
        func clearable(_ schema: Schema) -> Schema { nullable ? .nullable(schema) : schema }
        return [
            .optional("genericName", clearable(.text(max: 200))), .optional("strength", clearable(.text(max: 60))),
            .optional("atc", clearable(.text(max: 10))),
            .optional("taxPercent", .number(0...100), "At most two decimals"),
            .optional("reorderLevel", .integer(0...1_000_000_000), "Fewer usable units than this is low stock"),
            .optional("packSize", clearable(.integer(1...1_000_000))), .optional("active", .boolean),
        ]
    }

    static let answer = Schema.object([
        .required("id", .id), .required("name", .text(max: 200)), .optional("genericName", .text(max: 200)),
        .required("form", .text(max: 60)), .optional("strength", .text(max: 60)), .optional("atc", .text(max: 10)),
        .required("unitPrice", price), .required("taxPercent", .number(0...100)),
        .required("reorderLevel", .integer(0...1_000_000_000)), .optional("packSize", .integer(1...1_000_000)),
        .required("active", .boolean),
        .required("onHand", .integer(0...Int64.max), "Usable today: neither expired nor set aside"),
        .required("low", .boolean),
    ])
}

extension Medicine {
    /// A new one with the defaults of everything that may be left out.
    init(id: MedicineID, name: String, form: String, unitPrice: Money) {
        self.init(
            id: id, name: name, genericName: nil, form: form, strength: nil, atc: nil, unitPrice: unitPrice,
            tax: .zero, reorderLevel: 0, packSize: nil, isActive: true, version: 1)
    }

    /// Takes over what the body has: absent members stay, null clears (RFC 7396).
    mutating func apply(_ body: JSONObject) throws {
        name = try body.optional("name") ?? name
        form = try body.optional("form") ?? form
        unitPrice = try body.optional("unitPrice") ?? unitPrice
        if body.has("genericName") { genericName = try body.optional("genericName") }
        if body.has("strength") { strength = try body.optional("strength") }
        if body.has("atc") { atc = try body.optional("atc") }
        if body.has("taxPercent") {
            guard let percent = body["taxPercent"].flatMap(Percent.init(json:)) else {
                throw Problem.invalid("taxPercent", "out_of_range", "A rate from 0 to 100 with at most two decimals.")
            }
            tax = percent
        }
        reorderLevel = try body.optional("reorderLevel") ?? reorderLevel
        if body.has("packSize") { packSize = try body.optional("packSize") }
        isActive = try body.optional("active") ?? isActive
    }

    /// What the audit trail keeps: product data, nothing personal.
    var audited: JSONObject {
        JSONObject([
            ("name", .string(name)), ("unitPrice", .int(unitPrice.amount)),
            ("taxBasisPoints", .int(Int64(tax.basisPoints))), ("reorderLevel", .int(Int64(reorderLevel))),
            ("active", .bool(isActive)),
        ])
    }
}

extension MedicineListed {
    init(_ medicine: Medicine) {
        self.init(
            medicineID: medicine.id, name: medicine.name, genericName: medicine.genericName, form: medicine.form,
            strength: medicine.strength, atc: medicine.atc, unitPrice: medicine.unitPrice,
            taxBasisPoints: medicine.tax.basisPoints, active: medicine.isActive)
    }
}

struct MedicineView: JSONWritable {
    let medicine: Medicine
    let usable: Int

    init(_ medicine: Medicine, usable: Int) {
        self.medicine = medicine
        self.usable = usable
    }

    init(_ stocked: StockedMedicine) { self.init(stocked.medicine, usable: stocked.usable) }

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("id", medicine.id)
            $0.field("name", medicine.name)
            $0.field("genericName", medicine.genericName)
            $0.field("form", medicine.form)
            $0.field("strength", medicine.strength)
            $0.field("atc", medicine.atc)
            $0.field("unitPrice", medicine.unitPrice)
            $0.field("taxPercent", medicine.tax)
            $0.field("reorderLevel", medicine.reorderLevel)
            $0.field("packSize", medicine.packSize)
            $0.field("active", medicine.isActive)
            $0.field("onHand", usable)
            $0.field("low", Medicine.isLow(usable, reorderLevel: medicine.reorderLevel))
        }
    }
}

/// Where a page of medicines ended: its sort name and identifier.
enum MedicineCursor {
    static func read(_ request: Request) throws -> (name: String, id: MedicineID)? {
        guard let text = try request.query.optional("cursor", as: String.self) else { return nil }
        let parts = try Cursor.decode(text)
        guard parts.count == 2, let id = MedicineID(parts[1]) else {
            throw Problem.invalid("cursor", "invalid_cursor", "Use nextCursor as it came.")
        }
        return (parts[0], id)
    }

    static func next(_ found: [StockedMedicine], limit: Int) -> String? {
        guard found.count > limit, let last = found.prefix(limit).last else { return nil }
        return Cursor.encode([last.sortName, last.medicine.id.description])
    }
}
