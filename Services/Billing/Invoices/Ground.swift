import Access
import Bootstrap
import Contracts
import HTTP
import JSON
import Loop
import Postgres
import Primitives

/// What an invoice stands on: the visit, and for AUTO what was prescribed in it at today's prices.
///
/// Everything here happens before the transaction: nothing remote is waited for while rows are locked.
@LoopActor struct Ground {
    let visit: VisitCard
    private(set) var charges: [Charge] = []
    private(set) var prescriptions: [PrescriptionID] = []
    /// Cards that had to be asked for; the transaction keeps them.
    private var asked: [MedicineCard] = []
    private var isVisitNew = false

    /// AUTO always asks clinical: a prescription whose fact is still on its way must not be missing from the bill.
    init(_ mode: Invoice.Mode, of id: VisitID, host: Host, by caller: Principal) async throws {
        let cards = CardStore(sql: host.db.reader(for: caller.tenant))
        if mode == .manual, let known = try await cards.visit(id) {
            visit = known
            return
        }
        guard let answer = try await host.cards.ask("clinical", "/internal/cards/visits/\(id)", as: caller) else {
            throw InvoiceError.visitUnknown
        }
        visit = VisitCard(
            visit: id, patient: try answer.required("patientId"), location: try answer.required("locationId"))
        isVisitNew = true
        if mode == .auto { try await price(answer, cards, host, caller) }
    }

    private mutating func price(
        _ answer: JSONObject, _ cards: CardStore, _ host: Host, _ caller: Principal
    ) async throws {
        var items: [PrescribedItem] = []
        for prescription in try answer.required("prescriptions", as: [JSONObject].self) {
            prescriptions.append(try prescription.required("prescriptionId"))
            items += try prescription.required("items", as: [PrescribedItem].self)
        }
        var prices: [MedicineID: MedicineCard] = [:]
        for card in try await cards.medicines(Set(items.map(\.medicineID)).sorted()) { prices[card.id] = card }
        for item in items {
            if prices[item.medicineID] == nil {
                let path = "/internal/cards/medicines/\(item.medicineID)"
                guard let answer = try await host.cards.ask("pharmacy", path, as: caller) else {
                    throw InvoiceError.medicineUnknown
                }
                let card = MedicineCard(try MedicineListed(data: answer))
                asked.append(card)
                prices[item.medicineID] = card
            }
            guard let card = prices[item.medicineID] else { throw InvoiceError.medicineUnknown }
            charges.append(
                Charge(
                    card.description, quantity: Int64(item.quantity), unitPrice: card.unitPrice, tax: card.tax,
                    medicine: item.medicineID, prescriptionItem: item.itemID))
        }
    }

    /// Keeps what had to be asked for, so that it need not be asked again.
    func keep(in tx: Transaction) async throws {
        let cards = CardStore(sql: tx)
        if isVisitNew { try await cards.keep(visit) }
        // In one order everywhere, so that two bills never wait for each other.
        for card in asked.sorted(by: { $0.id < $1.id }) { try await cards.keep(card, revision: 0) }
    }
}
