import AMQP
import Testing

/// The publisher's book of confirms against a broker that accepts, refuses and returns, answers one by one or many at
/// once and late, and goes away at any moment.
@Suite struct ConfirmSimulation {
    @Test func `Every message is settled once, as the broker decided, or unknown when it went away`() {
        Seeds.allKeep("confirms") { dice in try run(ConfirmTracker(), &dice) }
    }

    @Test func `A tracker that is wrong is caught`() {
        Seeds.catchFault("returns are ignored") { dice in try run(Faulty(.ignoresReturns), &dice) }
        Seeds.catchFault("one tag is settled where many are meant") { dice in
            try run(Faulty(.settlesOne), &dice)
        }
        Seeds.catchFault("what was in flight is called confirmed when the broker is gone") { dice in
            try run(Faulty(.trustsTheLost), &dice)
        }
        Seeds.catchFault("a refusal is taken for a confirm") { dice in try run(Faulty(.takesNo), &dice) }
    }

    private func run(_ tracker: some Tracks, _ dice: inout Dice) throws(Broken) {
        var publisher = Publishing(tracker: tracker)
        for _ in 0..<(20 + dice.below(40)) {
            switch dice.below(10) {
            case 0...3: publisher.send(&dice)
            case 4...5: publisher.broker.decide(&dice)
            case 6: publisher.broker.answer(&dice)
            case 7...8: try publisher.hear()
            default: if dice.happens(25) { try publisher.lose() }
            }
        }
        if dice.happens(50) { try publisher.lose() } else { try publisher.settleAll(&dice) }
        try must(publisher.settled.count == publisher.sent, "a message was never settled")
        try must(publisher.tracker.inFlight == 0, "something is in flight for ever")
    }
}

private protocol Tracks {
    var inFlight: Int { get }
    mutating func on(_ event: ConfirmTracker.Event) -> [ConfirmTracker.Settled]
}

extension ConfirmTracker: Tracks {}

/// As a hurried hand would have written it.
private struct Faulty: Tracks {
    enum Fault { case ignoresReturns, settlesOne, trustsTheLost, takesNo }

    let fault: Fault
    var real = ConfirmTracker()
    init(_ fault: Fault) { self.fault = fault }

    var inFlight: Int { real.inFlight }

    mutating func on(_ event: ConfirmTracker.Event) -> [ConfirmTracker.Settled] {
        switch (fault, event) {
        case (.ignoresReturns, .returned): return []
        case (.settlesOne, .acknowledged(let tag, _)): return real.on(.acknowledged(tag: tag, multiple: false))
        case (.trustsTheLost, .lost): return real.on(.lost).map { .init(token: $0.token, outcome: .confirmed) }
        case (.takesNo, .refused(let tag, let multiple)): return real.on(.acknowledged(tag: tag, multiple: multiple))
        default: return real.on(event)
        }
    }
}

/// The publishing thread, and what each message's fate must be.
private struct Publishing<Tracker: Tracks> {
    var tracker: Tracker
    var broker = Broker()
    var sent = 0
    var settled: [UInt64: Outcome] = [:]
    /// What the broker has decided, by token.
    var truth: [UInt64: Outcome] = [:]

    init(tracker: Tracker) { self.tracker = tracker }

    mutating func send(_ dice: inout Dice) {
        let token = UInt64(sent)
        sent += 1
        // Ids repeat, as they do when a fact is published again.
        let id = "m\(dice.below(12))"
        _ = tracker.on(.sent(token: token, messageID: id))
        broker.take(token, id)
    }

    mutating func hear() throws(Broken) {
        guard !broker.wire.isEmpty else { return }
        let (event, tokens) = broker.wire.removeFirst()
        let expected = Dictionary(uniqueKeysWithValues: tokens.map { ($0, broker.fates[$0] ?? .unknown) })
        let found = tracker.on(event)
        for one in found {
            try must(settled.updateValue(one.outcome, forKey: one.token) == nil, "message \(one.token) was settled twice")
            try must(
                expected[one.token] == one.outcome,
                "message \(one.token) is \(one.outcome), the broker said \(expected[one.token].map { "\($0)" } ?? "nothing")")
        }
        try must(found.count == tokens.count, "the broker settled \(tokens.count) messages, \(found.count) were noticed")
    }

    mutating func lose() throws(Broken) {
        for one in tracker.on(.lost) {
            try must(settled.updateValue(one.outcome, forKey: one.token) == nil, "message \(one.token) was settled twice")
            try must(one.outcome == .unknown, "nobody knows what became of message \(one.token)")
        }
        broker = Broker()
        try must(settled.count == sent, "a message was forgotten with the connection")
    }

    mutating func settleAll(_ dice: inout Dice) throws(Broken) {
        var turns = 0
        while settled.count < sent {
            turns += 1
            try must(turns < 2000, "the broker has answered everything and something waits still")
            broker.decide(&dice)
            broker.answer(&dice)
            try hear()
        }
    }
}

/// One channel of a broker: decides in the order of publishing, answers in an order of its own.
private struct Broker {
    private var undecided: [(token: UInt64, id: String, tag: UInt64)] = []
    private var unanswered: [(token: UInt64, tag: UInt64, isYes: Bool)] = []
    private var nextTag: UInt64 = 1
    private var routes: [String: Outcome] = [:]
    private(set) var fates: [UInt64: Outcome] = [:]
    var wire: [(event: ConfirmTracker.Event, tokens: [UInt64])] = []

    mutating func take(_ token: UInt64, _ id: String) {
        undecided.append((token, id, nextTag))
        nextTag += 1
    }

    mutating func decide(_ dice: inout Dice) {
        guard !undecided.isEmpty else { return }
        let next = undecided.removeFirst()
        // What carries one id goes one way: bindings do not change under it.
        let usual = routes[next.id] ?? (dice.happens(15) ? .returned : .confirmed)
        routes[next.id] = usual
        let fate: Outcome = usual == .confirmed && dice.happens(15) ? .nacked : usual
        fates[next.token] = fate
        if fate == .returned { wire.append((.returned(messageID: next.id), [])) }
        unanswered.append((next.token, next.tag, fate != .nacked))
    }

    /// One, or everything up to one when all of it has the same answer.
    mutating func answer(_ dice: inout Dice) {
        guard let index = dice.place(in: unanswered) else { return }
        let last = unanswered[index]
        let upTo = unanswered.filter { $0.tag <= last.tag }
        let isMultiple = dice.happens(60) && upTo.allSatisfy { $0.isYes == last.isYes }
        let tokens = isMultiple ? upTo.map(\.token) : [last.token]
        unanswered.removeAll { tokens.contains($0.token) }
        let event: ConfirmTracker.Event =
            last.isYes
            ? .acknowledged(tag: last.tag, multiple: isMultiple) : .refused(tag: last.tag, multiple: isMultiple)
        wire.append((event, tokens))
    }
}
