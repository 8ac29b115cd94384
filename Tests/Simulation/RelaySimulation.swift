import AMQP
import Messaging
import Testing

/// Facts on their way from a transaction to their effect in another service: the relay's book and the confirms' real,
/// the database and the broker in memory; relays, consumers and the broker die between any two steps.
@Suite struct RelaySimulation {
    @Test func `Every committed fact has its effect once, in the end the newest counts, and no kind is starved`() {
        Seeds.allKeep("relay") { dice in
            var road = Road(fault: nil, isCalm: dice.happens(20))
            try road.run(&dice)
        }
    }

    @Test(arguments: Road.Fault.allCases)
    func `A relay or a consumer that is wrong is caught`(_ fault: Road.Fault) {
        Seeds.catchFault("\(fault)") { dice in
            var road = Road(fault: fault, isCalm: false)
            try road.run(&dice)
        }
    }
}

struct Road {
    enum Fault: CaseIterable, Sendable {
        case marksWithoutConfirm, looksBehindACursor, forgetsTheInbox, acknowledgesBeforeCommit, overwritesWithOlder
        case neverAsksAgain, restsForEver
    }

    private struct Fact {
        let seq: Int
        let kind: Int
        let subject: Int
        let revision: Int
    }

    private enum Step {
        case idle
        case selected([Fact])
        case published([Fact], [Outcome])
    }

    /// The last of the three kinds may rest, and a look reaches two numbers back.
    private static var emptyBook: RelayBook { RelayBook(unhurried: ["2"], reach: 2) }

    private let fault: Fault?
    /// Nothing fails: then the order of each subject must be kept to the letter.
    private let isCalm: Bool
    private var now = ContinuousClock.Instant.now
    // The announcing service's database.
    private var lastSeq = 0
    private var open: [Fact] = []
    private var outbox: [Fact] = []
    private var published: Set<Int> = []
    private var revisions: [Int: Int] = [:]
    // Its relay; another replica takes over with an empty book.
    private var book = Road.emptyBook
    private var step = Step.idle
    private var cursor = 0
    // The broker, and one consumer for each kind.
    private var queues: [[Fact]] = [[], [], []]
    private var isFull = [false, false, false]
    private var taken: [Fact?] = [nil, nil, nil]
    private var hasCommitted = [false, false, false]
    // The other service's database.
    private var inbox: Set<Int> = []
    private var effects: [Int: Int] = [:]
    private var newest: [Int: Int] = [:]
    private var handledOrder: [Int: [Int]] = [:]

    init(fault: Fault?, isCalm: Bool) {
        self.fault = fault
        self.isCalm = isCalm
    }

    mutating func run(_ dice: inout Dice) throws(Broken) {
        for _ in 0..<(40 + dice.below(60)) {
            now += .milliseconds(dice.below(1500))
            switch dice.below(14) {
            case 0...1: begin(&dice)
            case 2...3: finish(&dice)
            case 4...7: try relay(&dice)
            case 8...11: try consume(dice.below(3))
            case 12: if !isCalm { isFull[dice.below(3)] = dice.happens(40) }
            default: if !isCalm { breakDown(&dice) }
            }
        }
        try settle(&dice)
    }

    // MARK: the announcing service

    /// A transaction takes its number now and commits later, or never; one subject is changed by one at a time.
    private mutating func begin(_ dice: inout Dice) {
        let subject = dice.below(4)
        guard !open.contains(where: { $0.subject == subject }) else { return }
        lastSeq += 1
        open.append(
            Fact(seq: lastSeq, kind: dice.below(3), subject: subject, revision: revisions[subject, default: 0] + 1))
    }

    private mutating func finish(_ dice: inout Dice) {
        guard let place = dice.place(in: open) else { return }
        let fact = open.remove(at: place)
        guard dice.happens(85) else { return }
        outbox.append(fact)
        revisions[fact.subject] = fact.revision
        book.wake()
    }

    private mutating func relay(_ dice: inout Dice) throws(Broken) {
        switch step {
        case .idle:
            let held = Set(book.heldBack(at: now))
            let floor = book.floor(at: now)
            let rows = outbox.filter { !published.contains($0.seq) && !held.contains("\($0.kind)") && $0.seq > floor }
                .filter { fault != .looksBehindACursor || $0.seq > cursor }.sorted { $0.seq < $1.seq }
            if !rows.isEmpty { step = .selected(rows) } else { now += book.pause(upTo: .seconds(1), at: now) }
        case .selected(let rows):
            var outcomes: [Outcome] = []
            for fact in rows { outcomes.append(publish(fact, &dice)) }
            step = .published(rows, outcomes)
        case .published(let rows, let outcomes):
            step = .idle
            let result = book.settle(rows.map { "\($0.kind)" }, upTo: Int64(rows.last?.seq ?? 0), outcomes, at: now)
            if fault == .neverAsksAgain, !result.refused.isEmpty {
                _ = book.settle(rows.map { "\($0.kind)" }, upTo: Int64(rows.last?.seq ?? 0), outcomes, at: now + .seconds(1_000_000))
            }
            if fault == .restsForEver { _ = book.settle(["2"], upTo: 0, [.confirmed], at: now + .seconds(1_000_000)) }
            let confirmed = fault == .marksWithoutConfirm ? Array(rows.indices) : result.confirmed
            for index in confirmed { published.insert(rows[index].seq) }
            cursor = max(cursor, rows.last?.seq ?? 0)
            for index in rows.indices where outcomes[index] != .confirmed && fault == nil {
                try must(!confirmed.contains(index), "a fact that the broker did not confirm is marked")
            }
        }
    }

    private mutating func publish(_ fact: Fact, _ dice: inout Dice) -> Outcome {
        if isFull[fact.kind] { return .nacked }
        // Sent, and the answer got lost on the way: it may be there.
        if !isCalm, dice.happens(6) {
            if dice.happens(50) { queues[fact.kind].append(fact) }
            return .unknown
        }
        queues[fact.kind].append(fact)
        return .confirmed
    }

    // MARK: the other service

    private mutating func consume(_ kind: Int) throws(Broken) {
        guard let fact = taken[kind] else {
            if !queues[kind].isEmpty {
                taken[kind] = queues[kind].removeFirst()
                hasCommitted[kind] = false
            }
            return
        }
        if fault == .acknowledgesBeforeCommit, !hasCommitted[kind] {
            // Gone from the broker before the effect: only a death in between shows it.
            hasCommitted[kind] = true
            return
        }
        if fault == .acknowledgesBeforeCommit {
            try react(to: fact)
            taken[kind] = nil
            return
        }
        if !hasCommitted[kind] {
            try react(to: fact)
            hasCommitted[kind] = true
        } else {
            taken[kind] = nil
        }
    }

    private mutating func react(to fact: Fact) throws(Broken) {
        guard inbox.insert(fact.seq).inserted || fault == .forgetsTheInbox else { return }
        try must(outbox.contains { $0.seq == fact.seq }, "fact \(fact.seq) was never committed and has an effect")
        effects[fact.seq, default: 0] += 1
        handledOrder[fact.subject * 3 + fact.kind, default: []].append(fact.revision)
        // What is older than what is known changes nothing.
        if fault == .overwritesWithOlder || fact.revision > newest[fact.subject, default: 0] {
            newest[fact.subject] = fact.revision
        }
    }

    // MARK: death

    private mutating func breakDown(_ dice: inout Dice) {
        switch dice.below(3) {
        case 0:
            // The relay's process: its transaction rolls back, and another replica begins with an empty book.
            step = .idle
            book = Road.emptyBook
        case 1:
            // A consumer: what it had not acknowledged is delivered again, first.
            let kind = dice.below(3)
            guard let fact = taken[kind] else { return }
            if !(fault == .acknowledgesBeforeCommit && hasCommitted[kind]) { queues[kind].insert(fact, at: 0) }
            taken[kind] = nil
        default:
            // The broker: everything in flight is delivered again.
            for kind in queues.indices {
                if let fact = taken[kind], !(fault == .acknowledgesBeforeCommit && hasCommitted[kind]) {
                    queues[kind].insert(fact, at: 0)
                }
                taken[kind] = nil
            }
        }
    }

    /// Nothing fails any more: all must arrive, within a time that allows for every refusal.
    private mutating func settle(_ dice: inout Dice) throws(Broken) {
        open = []
        isFull = [false, false, false]
        let deadline = now + RelayBook.patience + .seconds(60)
        while published.count < outbox.count || !queues.allSatisfy(\.isEmpty) || taken.contains(where: { $0 != nil }) {
            try must(now < deadline, "\(outbox.count - published.count) facts never leave")
            now += .milliseconds(50)
            try relay(&dice)
            for kind in 0..<3 { try consume(kind) }
        }
        for fact in outbox {
            let count = effects[fact.seq, default: 0]
            try must(count == 1, "fact \(fact.seq) has \(count) effects")
        }
        for (subject, revision) in revisions {
            try must(newest[subject] == revision, "subject \(subject) is left at an older state")
        }
        guard isCalm else { return }
        for (_, order) in handledOrder { try must(order == order.sorted(), "a subject's facts are out of order: \(order)") }
    }
}
