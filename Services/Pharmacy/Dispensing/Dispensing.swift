import Primitives

/// One handing over at the counter: a fact, complete when it is made.
struct Dispensing: Equatable, Sendable {
    struct Line: Equatable, Sendable {
        let item: PrescriptionItemID
        let medicine: MedicineID
        let batch: BatchID
        let lotNumber: String
        let expiry: LocalDate
        let quantity: Int
    }

    let id: DispensingID
    let prescription: PrescriptionID
    let patient: PatientID
    let complete: Bool
    let dispensedBy: AccountID
    let at: Timestamp
    let localDate: LocalDate
    var lines: [Line]
}

enum DispensingError: Error, Equatable {
    case prescriptionUnknown
    case prescriptionNotActive
    case prescriptionExpired
    case invoiceUnpaid
    case itemUnknown
    case exceedsPrescription
    case alreadyDispensed
    /// Who prescribed it wants to hand it out as well.
    case ownPrescription
}
