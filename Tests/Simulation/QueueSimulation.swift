import Contracts
import Messaging
import Primitives
import Testing

@testable import Queue

/// A day at a clinic: people come, desks click, doctors call, facts arrive twice and late. The rules are `Token`,
/// `Place` and `Board`; beside them stands a reading of the same rules written for this test.
@Suite struct QueueSimulation {
    @Test func `Whoever is called is who the rules say, one at a time, and everybody is called in the end`() {
        Seeds.allKeep("queue") { dice in
            var day = Day(fault: nil)
            try day.run(&dice)
        }
    }

    @Test(arguments: Day.Fault.allCases)
    func `A queue that is wrong is caught`(_ fault: Day.Fault) {
        Seeds.catchFault("\(fault)") { dice in
            var day = Day(fault: fault)
            try day.run(&dice)
        }
    }
}

struct Day {
    enum Fault: CaseIterable, Sendable {
        case callsByArrival, trustsLateBookings, callsTwo, completesTwice, losesThePlace
    }

    /// What is known of a person besides the token.
    private struct Person {
        let urgency: Int
        let isOnTime: Bool
        let booked: Timestamp?
        let came: Timestamp
        var completions = 0
        var calls = 0
    }

    private static let opened = Timestamp(microseconds: 1_795_190_400_000_000)
    private static let date = LocalDate(daysSinceEpoch: 20_777)
    private static let drawn: Set<[Token.Status]> = [
        [.waiting, .withDoctor], [.waiting, .skipped], [.waiting, .left], [.withDoctor, .completed],
        [.withDoctor, .skipped], [.withDoctor, .waiting], [.skipped, .waiting], [.skipped, .left],
    ]

    private let fault: Fault?
    private let providers = [ProviderID(high: 1, low: 1), ProviderID(high: 1, low: 2)]
    private var now = Day.opened
    private var tokens: [Token] = []
    private var people: [Person] = []

    init(fault: Fault?) { self.fault = fault }

    mutating func run(_ dice: inout Dice) throws {
        for _ in 0..<(15 + dice.below(25)) {
            now = now.adding(seconds: Int64(dice.below(400)))
            switch dice.below(10) {
            case 0...3: arrive(&dice)
            case 4...6: try call(providers[dice.below(2)])
            case 7...8: try click(&dice)
            default: try sign(&dice)
            }
            try check()
        }
        try must(BoardCopy.read(BoardCopy.write(board), version: 1) == board, "the copy of a board is the board")
        // The doors are closed: everybody who waits is called within as many calls as there are people.
        for provider in providers {
            for _ in 0...tokens.count {
                for index in tokens.indices where tokens[index].provider == provider && tokens[index].status == .withDoctor {
                    try finish(index)
                }
                try call(provider)
            }
        }
        try must(!tokens.contains { $0.status == .waiting }, "somebody waits for ever")
    }

    private mutating func arrive(_ dice: inout Dice) {
        let priority = dice.happens(70) ? Priority.routine : dice.happens(70) ? .urgent : .emergency
        let booked: Timestamp? = dice.happens(50) ? now.adding(seconds: Int64(dice.below(7200) - 3600)) : nil
        let grace: Int64 = fault == .trustsLateBookings ? 100_000 : 900
        let place = Place(priority: priority, bookedFor: booked, arrivedAt: now, graceSeconds: grace)
        let sequence = tokens.count + 1
        tokens.append(
            Token(
                id: TokenID(high: 2, low: UInt64(sequence)), sequence: sequence,
                patient: PatientID(high: 3, low: UInt64(sequence)), provider: providers[dice.below(2)],
                location: LocationID(high: 4, low: 1), appointment: nil, localDate: Self.date, priority: priority,
                place: Place(urgency: place.urgency, lane: place.lane, due: place.due, sequence: sequence),
                issuedAt: now, status: .waiting, calledAt: nil, completedAt: nil, waitedSeconds: nil, version: 1))
        let onTime = booked.map { now.microseconds - $0.microseconds <= 900_000_000 } ?? false
        let urgency = priority == .emergency ? 3 : priority == .urgent ? 2 : 1
        people.append(Person(urgency: urgency, isOnTime: onTime, booked: booked, came: now))
    }

    private var board: Board {
        Board(version: 1, entries: tokens.map { Board.Entry(token: $0, room: nil) })
    }

    private mutating func call(_ provider: ProviderID) throws {
        let mine = board.of(provider)
        guard mine.entries(.withDoctor).isEmpty || fault == .callsTwo else { return }
        let waiting = mine.waiting(at: now)
        let first =
            fault == .callsByArrival ? waiting.min { $0.entry.token.issuedAt < $1.entry.token.issuedAt } : waiting.first
        guard let next = first, let index = tokens.firstIndex(where: { $0.id == next.entry.token.id }) else { return }
        for other in tokens.indices where tokens[other].provider == provider && tokens[other].status == .waiting {
            try must(other == index || goesBefore(index, other), "\(tokens[index].number) goes before \(tokens[other].number)")
        }
        let version = tokens[index].version
        let fact = try tokens[index].change(to: .withDoctor, at: now)
        try must(fact is TokenCalled && tokens[index].version == version + 1, "a call is one fact")
        people[index].calls += 1
        if people[index].calls == 1 {
            let waited = Int((now.microseconds - people[index].came.microseconds) / 1_000_000)
            try must(tokens[index].waitedSeconds == waited, "the wait is that until the first call")
        }
    }

    /// The rules once more, from what is known of the people: the pressing first; then who booked and came on time
    /// before who did not; then by the hour promised, or of coming; then by number.
    private func goesBefore(_ a: Int, _ b: Int) -> Bool {
        let (one, other) = (people[a], people[b])
        if one.urgency != other.urgency { return one.urgency > other.urgency }
        if one.isOnTime != other.isOnTime { return one.isOnTime }
        let due = (one.isOnTime ? one.booked : one.came, other.isOnTime ? other.booked : other.came)
        if let mine = due.0, let theirs = due.1, mine != theirs { return mine < theirs }
        return a < b
    }

    /// A desk changes somebody's status, sensibly or not, and sometimes twice.
    private mutating func click(_ dice: inout Dice) throws {
        guard let index = dice.place(in: tokens) else { return }
        let wanted = Token.Status.allCases[dice.below(Token.Status.allCases.count)]
        let before = tokens[index]
        // The database lets nobody be with a doctor who has somebody.
        if wanted == .withDoctor, tokens.contains(where: { $0.provider == before.provider && $0.status == .withDoctor }) { return }
        do {
            let fact = try tokens[index].change(to: wanted, at: now)
            try must((fact == nil) == (before.status == wanted), "what changes nothing is no fact")
            try must(fact == nil || Self.drawn.contains([before.status, wanted]), "\(before.status) became \(wanted)")
            if fact is TokenCompleted { people[index].completions += 1 }
            if fact is TokenCalled { people[index].calls += 1 }
        } catch is TokenError {
            try must(!Self.drawn.contains([before.status, wanted]), "\(before.status) may become \(wanted)")
            try must(tokens[index] == before, "a refusal changes nothing")
        }
        if fault == .losesThePlace, tokens[index].status == .waiting, before.status != .waiting { putLast(index) }
        try must(tokens[index].place == before.place, "\(before.number) has another place")
    }

    private mutating func putLast(_ index: Int) {
        let old = tokens[index]
        tokens[index] = Token(
            id: old.id, sequence: old.sequence, patient: old.patient, provider: old.provider, location: old.location,
            appointment: nil, localDate: old.localDate, priority: old.priority,
            place: Place(urgency: old.place.urgency, lane: 1, due: now, sequence: old.sequence), issuedAt: old.issuedAt,
            status: old.status, calledAt: nil, completedAt: nil, waitedSeconds: old.waitedSeconds, version: old.version)
    }

    /// A visit was signed; the news may come twice.
    private mutating func sign(_ dice: inout Dice) throws {
        guard let index = dice.place(in: tokens) else { return }
        for _ in 0...dice.below(2) { try finish(index) }
    }

    private mutating func finish(_ index: Int) throws {
        let before = tokens[index].status
        let fact = tokens[index].finish(at: now)
        try must((fact != nil) == (before != .completed && before != .left), "a visit ends a token that is not over, once")
        if fact != nil || fault == .completesTwice { people[index].completions += 1 }
    }

    private func check() throws {
        for provider in providers {
            let mine = board.of(provider)
            try must(mine.entries(.withDoctor).count <= 1, "two are with one doctor")
            let positions = mine.waiting(at: now).map(\.position)
            try must(positions == Array(1..<positions.count + 1), "positions are 1, 2, 3 …")
        }
        for index in tokens.indices {
            try must(people[index].completions <= 1, "\(tokens[index].number) was completed twice")
            try must((people[index].completions == 1) == (tokens[index].status == .completed), "who is completed was announced so")
        }
    }
}
