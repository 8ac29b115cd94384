import Contracts
import Primitives

@testable import Billing
@testable import Clinical
@testable import Pharmacy
@testable import Queue
@testable import Scheduling

/// Five services with a database, an outbox and an inbox each, in memory. The rules are the services' own values; a
/// transaction is a copy of a service that is kept or thrown away.
struct Hospital {
    enum Fault: CaseIterable, Sendable {
        case announcesWithoutCommit, forgetsKeys, dispensesUnpaid, leavesTheShelf, skipsTheLedger, losesOnCrash
        case fulfilsTheCancelled
    }

    /// What one person has in the record of each service.
    struct Person {
        var scheduling: SchedulingSide
        var queue = QueueSide()
        var clinical = ClinicalSide()
        var billing = BillingSide()
        var pharmacy = PharmacySide()
    }

    static let now = Timestamp(microseconds: 1_795_190_400_000_000)
    static let today = LocalDate(daysSinceEpoch: 20_777)
    static let location = LocationID(high: 4, low: 1)
    static let doctor = AccountID(high: 5, low: 1)

    let fault: Fault?
    private var people: [Person] = []
    private var shelf = Shelf()
    private var wire: [Letter] = []
    private var inbox: Set<Int> = []
    private var letters = 0
    /// Commands that were not answered, to be sent again with their key.
    private var unanswered: [(person: Int, command: Command, key: Int)] = []
    private var keys: Set<Int> = []
    private var effects: [Int: Int] = [:]
    private var commands = 0

    /// A fact on its way to one reaction.
    struct Letter {
        let id: Int
        let person: Int
        let reaction: Reaction
    }

    init(fault: Fault?) { self.fault = fault }

    mutating func run(_ dice: inout Dice) throws {
        for number in 0..<(1 + dice.below(2)) { people.append(Person(number)) }
        for _ in 0..<(30 + dice.below(50)) {
            let person = dice.below(people.count)
            switch dice.below(10) {
            case 0...4: try send(Command.any(&dice), person, &dice)
            case 5: try repeatOne(&dice)
            default: try deliver(&dice)
            }
            for person in people { try person.check(shelf) }
            try shelf.check(people)
        }
        // Nothing fails any more: everybody gets the answer, every letter arrives.
        while !unanswered.isEmpty {
            let (person, command, key) = unanswered.removeFirst()
            try perform(command, person, key)
        }
        while !wire.isEmpty { try handle(wire.removeFirst()) }
        for person in people {
            try person.check(shelf)
            try person.checkEnd()
        }
    }

    // MARK: people's commands

    private mutating func send(_ command: Command, _ person: Int, _ dice: inout Dice) throws {
        commands += 1
        try crashing(command, person, commands, &dice)
    }

    private mutating func repeatOne(_ dice: inout Dice) throws {
        guard let place = dice.place(in: unanswered) else { return }
        let (person, command, key) = unanswered.remove(at: place)
        try crashing(command, person, key, &dice)
    }

    /// The service may die before the commit, or after it and before the answer.
    private mutating func crashing(_ command: Command, _ person: Int, _ key: Int, _ dice: inout Dice) throws {
        let before = self
        try perform(command, person, key)
        guard dice.happens(20) else { return }
        let isCommitted = dice.happens(50)
        if !isCommitted {
            let announced = wire
            self = before
            if fault == .announcesWithoutCommit { wire = announced }
        }
        unanswered.append((person, command, key))
    }

    private mutating func perform(_ command: Command, _ person: Int, _ key: Int) throws {
        guard fault == .forgetsKeys || !keys.contains(key) else { return }
        var tried = people[person]
        var shelfTried = shelf
        do {
            let facts = try tried.perform(command, &shelfTried, fault)
            people[person] = tried
            shelf = shelfTried
            announce(facts, of: person)
            keys.insert(key)
            effects[key, default: 0] += 1
        } catch {
            guard Self.isRefusal(error) else { throw error }
        }
        try must(effects[key, default: 0] <= 1, "a command that was sent twice had its effect twice: \(command)")
    }

    /// A rule said no: nothing was kept, and the person is told.
    private static func isRefusal(_ error: any Error) -> Bool {
        switch error {
        case is AppointmentError, is TokenError, is VisitError, is InvoiceError, is DispensingError, is StockError: true
        default: error is NotNow
        }
    }

    // MARK: facts

    private mutating func announce(_ facts: [Fact], of person: Int) {
        for fact in facts {
            for reaction in Reaction.to(fact) {
                letters += 1
                wire.append(Letter(id: letters, person: person, reaction: reaction))
            }
        }
    }

    /// Any letter may be the next; it may be delivered again, and its reader may die before or after the commit.
    private mutating func deliver(_ dice: inout Dice) throws {
        guard let place = dice.place(in: wire) else { return }
        let letter = wire[place]
        if dice.happens(15) {
            if fault == .losesOnCrash { wire.remove(at: place) }
            return
        }
        if dice.happens(80) { wire.remove(at: place) }
        try handle(letter)
    }

    private mutating func handle(_ letter: Letter) throws {
        guard inbox.insert(letter.id).inserted else { return }
        var tried = people[letter.person]
        let facts = tried.react(letter.reaction, fault)
        people[letter.person] = tried
        announce(facts, of: letter.person)
    }
}

/// Not refused by a rule: there is simply nothing yet that it could be done to.
struct NotNow: Error {}

/// What people ask for, sensibly or not.
enum Command {
    case cancelAppointment, checkIn, callNext, skip, leave
    case startVisit, prescribe, signVisit
    case bill, issue, pay(Int64?), refund, cancelInvoice
    case dispense(part: Bool)

    static func any(_ dice: inout Dice) -> Command {
        switch dice.below(20) {
        case 0: .cancelAppointment
        case 1...2: .checkIn
        case 3: .callNext
        case 4: dice.happens(50) ? .skip : .leave
        case 5...6: .startVisit
        case 7...8: .prescribe
        case 9...10: .signVisit
        case 11...12: .bill
        case 13: .issue
        case 14...15: .pay(dice.happens(50) ? nil : Int64(1 + dice.below(5)) * 100)
        case 16: .refund
        case 17: .cancelInvoice
        default: .dispense(part: dice.happens(40))
        }
    }
}

/// What is announced.
enum Fact {
    case appointmentCancelled(AppointmentCancelled)
    case appointmentFulfilled
    case tokenIssued(TokenIssued)
    case tokenCompleted(TokenCompleted)
    case visitCompleted(VisitCompleted)
    case prescriptionIssued(PrescriptionIssued)
    case invoicePaid(InvoicePaid)
    case invoiceRefunded
}

/// Who reacts to it.
enum Reaction {
    case rememberCancellation
    case markArrived(TokenIssued)
    case completeTokenAppointment(TokenCompleted)
    case completeVisitAppointment(VisitCompleted)
    case completeToken(VisitCompleted)
    case rememberPrescription(PrescriptionIssued)
    case rememberSettlement(InvoicePaid)
    case doubtSettlement

    static func to(_ fact: Fact) -> [Reaction] {
        switch fact {
        case .appointmentCancelled: [.rememberCancellation]
        case .appointmentFulfilled: []
        case .tokenIssued(let issued): [.markArrived(issued)]
        case .tokenCompleted(let completed): [.completeTokenAppointment(completed)]
        case .visitCompleted(let completed): [.completeVisitAppointment(completed), .completeToken(completed)]
        case .prescriptionIssued(let issued): [.rememberPrescription(issued)]
        case .invoicePaid(let paid): [.rememberSettlement(paid)]
        case .invoiceRefunded: [.doubtSettlement]
        }
    }
}
