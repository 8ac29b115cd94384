import Access
import Bootstrap
import Contracts
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// Hands out a prescription: the cards first, then everything in one transaction.
@LoopActor struct Dispense {
    let host: Host
    let requiresPayment: Bool

    /// What other services had to be asked before the transaction: nothing remote happens inside it.
    struct Ground {
        /// Set when our copy was missing or does not say who prescribed.
        let asked: PrescriptionCard?
        /// Set when our copy did not say "paid" but billing does.
        let settledBy: (invoice: InvoiceID?, Void)?
    }

    /// Refuses early what cannot succeed, and fetches the cards that are missing.
    func prepare(_ prescription: PrescriptionID, by caller: Principal) async throws -> Ground {
        let reader = host.db.reader(for: caller.tenant)
        var asked: PrescriptionCard?
        let known = try await PrescriptionCardStore(sql: reader, scope: caller.deskScope).find(prescription)
        if known?.prescriber == nil {
            let path = "/internal/cards/prescriptions/\(prescription)"
            guard let answer = try await host.cards.ask("clinical", path, as: caller) else {
                throw DispensingError.prescriptionUnknown
            }
            asked = try PrescriptionCard(answer: answer)
        }
        guard requiresPayment, !(try await SettlementStore(sql: reader).isPaid(prescription)) else {
            return Ground(asked: asked, settledBy: nil)
        }
        // The payment's fact may still be on its way: whoever took the money knows.
        let path = "/internal/cards/prescriptions/\(prescription)/settlement"
        guard let answer = try await host.cards.ask("billing", path, as: caller), try answer.required("paid") else {
            throw DispensingError.invoiceUnpaid
        }
        return Ground(asked: asked, settledBy: (try answer.optional("invoiceId"), ()))
    }

    /// The whole handing over, or nothing of it.
    func run(
        _ prescription: PrescriptionID, _ asked: [(item: PrescriptionItemID, quantity: Int)]?, on ground: Ground,
        by caller: Principal, in tx: Transaction
    ) async throws -> Dispensing {
        let now = host.now()
        let today = caller.today(at: now)
        let cards = PrescriptionCardStore(sql: tx, scope: caller.deskScope)
        if let missing = ground.asked { try await cards.keep(missing) }
        if let (invoice, _) = ground.settledBy {
            try await SettlementStore(sql: tx).keep(prescription, invoice: invoice, paid: true)
        }
        guard var card = try await cards.findForUpdate(prescription) else { throw DispensingError.prescriptionUnknown }
        let needs = try card.needs(asked: asked, today: today)

        let medicines = Set(needs.map(\.medicine)).sorted()
        let shelf = try await StockStore(sql: tx).usableForUpdate(of: medicines, today: today)
        let picks = try FirstExpired.allocate(needs, from: shelf, today: today)
        card.handOut(needs)
        let dispensing = Dispensing(
            id: DispensingID(), prescription: prescription, patient: card.patient, complete: card.isComplete,
            dispensedBy: caller.account, at: now, localDate: today, lines: picks.map(Dispensing.Line.init))

        let stock = MoveStock(tx: tx, caller: caller, now: now)
        try await take(picks, of: medicines, from: shelf, for: dispensing.id, stock)
        try await cards.update(card)
        try await DispensingStore(sql: tx, scope: caller.deskScope).insert(dispensing, prescribedBy: card.prescriber)
        try tx.announce(PrescriptionDispensed(dispensing), revision: card.dispensings)
        try tx.audit(
            "dispense", "dispensing", dispensing.id.description, of: dispensing.patient, after: dispensing.audited)
        return dispensing
    }

    private func take(
        _ picks: [FirstExpired.Pick], of medicines: [MedicineID], from shelf: [Batch], for dispensing: DispensingID,
        _ stock: MoveStock
    ) async throws {
        var before: [MedicineID: Int] = [:]
        for medicine in medicines {
            before[medicine] = shelf.reduce(0) { $1.medicine == medicine ? $0 + $1.onHand : $0 }
        }
        for pick in picks {
            _ = try await stock.move(pick.batch, .handedOut, by: -pick.quantity, for: dispensing)
        }
        try await stock.warnIfLow(before)
    }
}

extension Dispensing.Line {
    init(_ pick: FirstExpired.Pick) {
        self.init(
            item: pick.item, medicine: pick.batch.medicine, batch: pick.batch.id, lotNumber: pick.batch.lotNumber,
            expiry: pick.batch.expiry, quantity: pick.quantity)
    }
}

extension PrescriptionDispensed {
    init(_ dispensing: Dispensing) {
        self.init(
            dispensingID: dispensing.id, prescriptionID: dispensing.prescription, patientID: dispensing.patient,
            complete: dispensing.complete, quantity: dispensing.lines.reduce(0) { $0 + $1.quantity },
            localDate: dispensing.localDate)
    }
}
