import Contracts
import JSON
import Primitives

/// What the counter knows of a prescription: what may still be handed out, and until when.
///
/// The record is clinical's; this copy adds how much has left the shelf.
struct PrescriptionCard: Equatable, Sendable {
    struct Item: Equatable, Sendable {
        let id: PrescriptionItemID
        let medicine: MedicineID
        let prescribed: Int
        var dispensed: Int
        var remaining: Int { prescribed - dispensed }
    }

    let id: PrescriptionID
    let patient: PatientID
    /// Nil in a copy of before we kept it.
    let prescriber: AccountID?
    let validUntil: LocalDate
    let status: String
    /// How often something was handed out of it.
    var dispensings: Int
    var items: [Item]

    var isComplete: Bool { items.allSatisfy { $0.remaining == 0 } }

    /// What is to be handed out: what was asked for, or all that remains.
    func needs(
        asked: [(item: PrescriptionItemID, quantity: Int)]?, today: LocalDate
    ) throws(DispensingError) -> [FirstExpired.Need] {
        guard PrescriptionCard.mayBeDispensed(status) else { throw .prescriptionNotActive }
        guard !isComplete else { throw .alreadyDispensed }
        guard today <= validUntil else { throw .prescriptionExpired }
        guard let asked else {
            return items.filter { $0.remaining > 0 }.map {
                FirstExpired.Need(item: $0.id, medicine: $0.medicine, quantity: $0.remaining)
            }
        }
        var needs: [FirstExpired.Need] = []
        for (id, quantity) in asked {
            guard let item = items.first(where: { $0.id == id }) else { throw .itemUnknown }
            guard quantity <= item.remaining else { throw .exceedsPrescription }
            needs.append(FirstExpired.Need(item: id, medicine: item.medicine, quantity: quantity))
        }
        return needs
    }

    /// Books a handing over. `needs` came from this card, so nothing can go below zero.
    mutating func handOut(_ needs: [FirstExpired.Need]) {
        for need in needs {
            guard let index = items.firstIndex(where: { $0.id == need.item }) else { continue }
            items[index].dispensed += need.quantity
        }
        dispensings += 1
    }

    /// Words of FHIR for a prescription that must not be filled any more.
    static func mayBeDispensed(_ status: String) -> Bool {
        !["cancelled", "stopped", "entered_in_error", "entered-in-error", "on-hold"].contains(status)
    }
}

extension PrescriptionCard {
    init(_ issued: PrescriptionIssued) {
        self.init(
            id: issued.prescriptionID, patient: issued.patientID, prescriber: issued.practitionerID, validUntil: issued.validUntil, status: "active",
            dispensings: 0, items: issued.items.map(Item.init))
    }

    /// Clinical's answer on its card path.
    init(answer: JSONObject) throws {
        let prescribed: [PrescribedItem] = try answer.required("items")
        self.init(
            id: try answer.required("prescriptionId"), patient: try answer.required("patientId"),
            prescriber: try answer.optional("practitionerId"), validUntil: try answer.required("validUntil"), status: try answer.required("status"), dispensings: 0,
            items: prescribed.map(Item.init))
    }
}

extension PrescriptionCard.Item {
    init(_ item: PrescribedItem) {
        self.init(id: item.itemID, medicine: item.medicineID, prescribed: item.quantity, dispensed: 0)
    }
}
