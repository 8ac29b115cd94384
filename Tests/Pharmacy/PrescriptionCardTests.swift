import Primitives
import Testing

@testable import Pharmacy

@Suite struct PrescriptionCardTests {
    private func card(dispensed: Int = 0, status: String = "active") -> PrescriptionCard {
        PrescriptionCard(
            id: PrescriptionID(), patient: PatientID(), prescriber: nil, validUntil: day(30), status: status, dispensings: 0,
            items: [
                .init(id: PrescriptionItemID(), medicine: MedicineID(), prescribed: 10, dispensed: dispensed),
                .init(id: PrescriptionItemID(), medicine: MedicineID(), prescribed: 5, dispensed: min(dispensed, 5)),
            ])
    }

    @Test func `Without items everything that remains is handed out`() throws {
        #expect(try card(dispensed: 3).needs(asked: nil, today: day(1)).map(\.quantity) == [7, 2])
    }

    @Test func `The last valid day is still valid`() throws {
        #expect(try card().needs(asked: nil, today: day(30)).count == 2)
        #expect(throws: DispensingError.prescriptionExpired) { try card().needs(asked: nil, today: day(31)) }
    }

    @Test func `More than remains is refused, and so is an item of another prescription`() {
        let card = card(dispensed: 4)
        #expect(throws: DispensingError.exceedsPrescription) {
            try card.needs(asked: [(card.items[0].id, 7)], today: day(1))
        }
        #expect(throws: DispensingError.itemUnknown) {
            try card.needs(asked: [(PrescriptionItemID(), 1)], today: day(1))
        }
    }

    @Test func `Handing out in parts ends complete, and then there is nothing left`() throws {
        var card = card()
        let first = try card.needs(asked: [(card.items[0].id, 4)], today: day(1))
        card.handOut(first)
        #expect(!card.isComplete)
        card.handOut(try card.needs(asked: nil, today: day(1)))
        #expect(card.isComplete)
        #expect(card.dispensings == 2)
        #expect(throws: DispensingError.alreadyDispensed) { try card.needs(asked: nil, today: day(1)) }
    }

    @Test func `A withdrawn prescription is not filled`() {
        #expect(throws: DispensingError.prescriptionNotActive) {
            try card(status: "cancelled").needs(asked: nil, today: day(1))
        }
    }
}
