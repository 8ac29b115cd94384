import Primitives

extension Catalogue {
    /// What pharmacy announces, with a sample of each.
    static let pharmacy: [CatalogueEntry] = [
        CatalogueEntry(
            "The catalogue has a medicine, or a changed one: the card is whole, so the newest revision replaces "
                + "the older.",
            optional: ["genericName", "strength", "atc"],
            MedicineListed(
                medicineID: Sample.id(12), name: "Paracetamol 500 mg", genericName: "Paracetamol",
                form: "tablet", strength: "500 mg", atc: "N02BE01", unitPrice: Sample.money, taxBasisPoints: 1200,
                active: true)),
        CatalogueEntry(
            "A batch gained or lost: kind is IN, OUT or ADJUSTMENT, delta is signed.",
            optional: ["reason"],
            StockMoved(
                movementID: Sample.id(14), batchID: Sample.id(13), medicineID: Sample.id(12), kind: "IN",
                delta: 10, onHand: 10, reason: "damaged", localDate: Sample.day)),
        CatalogueEntry(
            "What is left of a medicine fell below its reorder level.",
            StockRanLow(medicineID: Sample.id(12), onHand: 10, reorderLevel: 10)),
        CatalogueEntry(
            "Medicines were handed out; complete when nothing of the prescription remains.",
            PrescriptionDispensed(
                dispensingID: Sample.id(17), prescriptionID: Sample.id(10), patientID: Sample.id(5),
                complete: true, quantity: 10, localDate: Sample.day)),
    ]
}
