import Contracts
import Primitives

@testable import Billing
@testable import Clinical
@testable import Pharmacy
@testable import Queue
@testable import Scheduling

extension Hospital {
    struct SchedulingSide {
        var appointment: Appointment
        var fulfilments = 0
        var cancellations = 0
    }

    struct QueueSide {
        var token: Token?
        var isCancelled = false
        var completions = 0
    }

    struct ClinicalSide {
        var visit: Visit?
        var prescription: Prescription?
    }

    struct BillingSide {
        var invoices: [Invoice] = []
        var ledger: [LedgerEntry] = []
        /// What the till took and gave back, as the people at it remember.
        var taken: Int64 = 0
        var wasPaid = false
        var refunds = 0
    }

    struct PharmacySide {
        var card: PrescriptionCard?
        var isSettled = false
        var handedOut = 0
    }

    /// What all prescriptions are filled from.
    struct Shelf {
        static let medicine = MedicineID(high: 6, low: 1)
        static let stock = 60
        var batches = [Shelf.batch(1, 20, expires: 20_800), Shelf.batch(2, 40, expires: 20_790)]

        static func batch(_ number: UInt64, _ count: Int, expires: Int) -> Batch {
            Batch(
                id: BatchID(high: 7, low: number), medicine: medicine, lotNumber: "L\(number)",
                expiry: LocalDate(daysSinceEpoch: expires), receivedAt: Hospital.now, supplier: nil, unitCost: nil,
                onHand: count, isQuarantined: false, quarantineReason: nil, version: 1)
        }

        func check(_ people: [Person]) throws(Broken) {
            let left = batches.reduce(0) { $0 + $1.onHand }
            let gone = people.reduce(0) { $0 + $1.pharmacy.handedOut }
            try must(batches.allSatisfy { $0.onHand >= 0 }, "a batch holds less than nothing")
            try must(left + gone == Self.stock, "\(gone) were handed out, \(left) are left of \(Self.stock)")
            // First expired, first out: the later batch is untouched while the earlier holds anything.
            try must(batches[1].onHand == 0 || batches[0].onHand == 20, "the batch that expires later was opened first")
        }
    }
}

extension Hospital.Person {
    init(_ number: Int) {
        let low = UInt64(number) + 1
        scheduling = Hospital.SchedulingSide(
            appointment: Appointment(
                id: AppointmentID(high: 10, low: low), slot: SlotID(high: 11, low: low),
                provider: ProviderID(high: 12, low: 1), patient: PatientID(high: 13, low: low),
                location: Hospital.location, start: Hospital.now, end: Hospital.now.adding(seconds: 900),
                localDate: Hospital.today, status: .booked, modality: .inPerson, priority: .routine, reason: nil,
                cancelReason: nil, token: nil, visit: nil, version: 1, bookedAt: Hospital.now, answerBy: nil))
    }

    private var low: UInt64 { scheduling.appointment.id.low }

    // MARK: commands

    mutating func perform(
        _ command: Command, _ shelf: inout Hospital.Shelf, _ fault: Hospital.Fault?
    ) throws -> [Fact] {
        switch command {
        case .cancelAppointment:
            guard let fact = try scheduling.appointment.cancel(because: nil, by: "reception") as? AppointmentCancelled else { return [] }
            scheduling.cancellations += 1
            return [.appointmentCancelled(fact)]
        case .checkIn: return try checkIn()
        case .callNext: return try change(to: .withDoctor)
        case .skip: return try change(to: .skipped)
        case .leave: return try change(to: .left)
        case .startVisit, .prescribe, .signVisit: return try see(command)
        case .bill, .issue, .pay, .refund, .cancelInvoice: return try charge(command, fault)
        case .dispense(let part): return try dispense(part, &shelf, fault)
        }
    }

    /// The queue trusts its own card unless it would let somebody in: then it asks.
    private mutating func checkIn() throws -> [Fact] {
        guard queue.token == nil else { throw TokenError.alreadyCheckedIn }
        guard !queue.isCancelled else { throw TokenError.appointmentCancelled }
        let place = Place(
            priority: .routine, bookedFor: Hospital.now, arrivedAt: Hospital.now, graceSeconds: 900)
        let token = Token(
            id: TokenID(high: 14, low: low), sequence: 1, patient: scheduling.appointment.patient,
            provider: scheduling.appointment.provider, location: Hospital.location,
            appointment: scheduling.appointment.id, localDate: Hospital.today, priority: .routine, place: place,
            issuedAt: Hospital.now, status: .waiting, calledAt: nil, completedAt: nil, waitedSeconds: nil, version: 1)
        queue.token = token
        return [.tokenIssued(token.issued)]
    }

    private mutating func change(to status: Token.Status) throws -> [Fact] {
        guard var token = queue.token else { throw NotNow() }
        _ = try token.change(to: status, at: Hospital.now)
        queue.token = token
        return []
    }

    private mutating func see(_ command: Command) throws -> [Fact] {
        guard let token = queue.token else { throw NotNow() }
        switch (command, clinical.visit) {
        case (.startVisit, nil):
            clinical.visit = Visit(
                id: VisitID(high: 15, low: low), patient: token.patient, practitioner: Hospital.doctor,
                location: Hospital.location, localDate: Hospital.today, token: token.id, appointment: token.appointment,
                startedAt: Hospital.now)
            return []
        case (.prescribe, let visit?):
            try visit.mayBeExtended()
            guard clinical.prescription == nil else { throw NotNow() }
            let medicine = Clinical.MedicineCard(
                id: Hospital.Shelf.medicine, name: "Amoxicillin 500", genericName: "amoxicillin", form: "capsule",
                strength: nil, atc: nil)
            guard let dose = Thousandths("1") else { throw NotNow() }
            let item = PrescriptionItem(
                id: PrescriptionItemID(high: 16, low: low), medicine: medicine, dose: dose,
                doseUnit: "capsule", frequencyPerDay: 3, durationDays: 7, quantity: 21, unit: "capsule", instructions: nil)
            let prescription = Prescription(
                id: PrescriptionID(high: 17, low: low), visit: visit.id, patient: visit.patient,
                practitioner: visit.practitioner, issuedAt: Hospital.now, localDate: Hospital.today,
                validUntil: Hospital.today.adding(days: 30), items: [item], overrideReason: nil)
            clinical.prescription = prescription
            return [.prescriptionIssued(prescription.issued)]
        case (.signVisit, var visit?):
            let fact = try visit.complete(by: Hospital.doctor, at: Hospital.now)
            clinical.visit = visit
            return [.visitCompleted(fact)]
        default: throw NotNow()
        }
    }

    private mutating func dispense(
        _ part: Bool, _ shelf: inout Hospital.Shelf, _ fault: Hospital.Fault?
    ) throws -> [Fact] {
        if pharmacy.card == nil {
            // The fact is still on its way: clinical is asked.
            guard let issued = clinical.prescription?.issued else { throw DispensingError.prescriptionUnknown }
            pharmacy.card = PrescriptionCard(issued)
        }
        guard var card = pharmacy.card else { throw DispensingError.prescriptionUnknown }
        if !pharmacy.isSettled, fault != .dispensesUnpaid {
            guard settlement.paid else { throw DispensingError.invoiceUnpaid }
            pharmacy.isSettled = true
        }
        let asked: [(item: PrescriptionItemID, quantity: Int)]? = part ? card.items.map { ($0.id, 7) } : nil
        let needs = try card.needs(asked: asked, today: Hospital.today)
        let picks = try FirstExpired.allocate(needs, from: shelf.batches, today: Hospital.today)
        card.handOut(needs)
        pharmacy.card = card
        for pick in picks {
            pharmacy.handedOut += pick.quantity
            guard let index = shelf.batches.firstIndex(where: { $0.id == pick.batch.id }) else { continue }
            if fault != .leavesTheShelf { shelf.batches[index].onHand -= pick.quantity }
        }
        return []
    }

    // MARK: reactions

    mutating func react(_ reaction: Reaction, _ fault: Hospital.Fault?) -> [Fact] {
        switch reaction {
        case .rememberCancellation: queue.isCancelled = true
        case .markArrived(let issued): _ = scheduling.appointment.arrive(with: issued.tokenID)
        case .completeTokenAppointment: return fulfil(by: nil, fault)
        case .completeVisitAppointment(let completed): return fulfil(by: completed.visitID, fault)
        case .completeToken(let completed):
            guard var token = queue.token, let fact = token.finish(at: completed.completedAt) else { return [] }
            queue.token = token
            queue.completions += 1
            return [.tokenCompleted(fact)]
        case .rememberPrescription(let issued):
            // Kept once: what has been handed out of it stays.
            if pharmacy.card == nil { pharmacy.card = PrescriptionCard(issued) }
        case .rememberSettlement: pharmacy.isSettled = true
        case .doubtSettlement: pharmacy.isSettled = false
        }
        return []
    }

    private mutating func fulfil(by visit: VisitID?, _ fault: Hospital.Fault?) -> [Fact] {
        if fault == .fulfilsTheCancelled, scheduling.appointment.status == .cancelled {
            scheduling.fulfilments += 1
            return []
        }
        guard case .announced = scheduling.appointment.fulfil(by: visit) else { return [] }
        scheduling.fulfilments += 1
        return [.appointmentFulfilled]
    }

    // MARK: what must be true

    func check(_ shelf: Hospital.Shelf) throws(Broken) {
        try must(scheduling.fulfilments <= 1, "an appointment was fulfilled twice")
        try must(scheduling.fulfilments == 0 || scheduling.cancellations == 0, "a cancelled appointment was fulfilled")
        try must(queue.completions <= 1, "a token was completed twice")
        try must(queue.token != nil || clinical.visit == nil, "there is a visit without a token")
        for item in pharmacy.card?.items ?? [] { try must(item.remaining >= 0, "more was handed out than prescribed") }
        try must(pharmacy.handedOut == 0 || billing.wasPaid, "medicine was handed out and nobody ever paid")
        try must(pharmacy.handedOut == 0 || clinical.prescription != nil, "medicine was handed out that nobody prescribed")
        try checkMoney()
    }

    func checkEnd() throws(Broken) {
        if clinical.visit?.status == .completed {
            let status = scheduling.appointment.status
            try must(status == .fulfilled || status == .cancelled, "the visit is over and its appointment is \(status)")
            try must(status != .fulfilled || scheduling.fulfilments == 1, "a fulfilment was never announced")
            let token = queue.token?.status
            try must(token == .completed || token == .left, "the visit is over and its token is not")
        } else {
            try must(scheduling.fulfilments == 0, "an appointment is fulfilled by a visit that is not over")
        }
        if clinical.prescription != nil { try must(pharmacy.card != nil, "the counter never heard of a prescription") }
        // Facts about one invoice may overtake each other; without a refund the last word is the payment's.
        if billing.refunds == 0 {
            try must(pharmacy.isSettled == settlement.paid, "till and counter disagree: paid is \(settlement.paid)")
        }
        if queue.token != nil, scheduling.cancellations == 0 {
            try must(scheduling.appointment.status != .booked, "somebody has a token and never arrived")
        }
    }
}
