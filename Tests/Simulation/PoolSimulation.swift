import Testing

@testable import Postgres

/// The pool's book under tasks that ask, leave, hold and give back, and connections that end at any moment.
@Suite struct PoolSimulation {
    @Test func `No connection is lost or shared, and nobody waits while one is free or out of turn`() {
        Seeds.allKeep("pool") { dice in
            var pool = Pool(limit: 1 + dice.below(4), fault: nil)
            try pool.run(&dice)
        }
    }

    @Test(arguments: Pool.Fault.allCases)
    func `A pool that is wrong is caught`(_ fault: Pool.Fault) {
        Seeds.catchFault("\(fault)") { dice in
            var pool = Pool(limit: 1 + dice.below(4), fault: fault)
            try pool.run(&dice)
        }
    }
}

/// `WritePool` and `WaitingRoom` with numbers for tasks; every line of it is one of theirs.
struct Pool {
    enum Fault: CaseIterable, Sendable {
        /// Returned connections lie idle while somebody waits.
        case forgetsWaiters
        /// The last who came is served first.
        case lastFirst
        /// A connection that was handed to somebody who had just left is dropped.
        case dropsForLeavers
        /// One that may be inside a transaction is used again.
        case keepsUnclean
        /// An ended connection stays in the book.
        case keepsEnded
    }

    final class Connection {
        let number: Int
        var isOpen = true
        var isClean = true
        var holder: Int?
        init(_ number: Int) { self.number = number }
    }

    private var book: PoolBook<Connection>
    private let limit: Int
    private let fault: Fault?
    private var connections: [Connection] = []
    /// Lines that are connecting: their number is all there is.
    private var connecting = 0
    private var waiting: [Int] = []
    private var holding: [Int: Connection] = [:]
    private var tasks = 0
    private var served = 0
    private var left = 0

    init(limit: Int, fault: Fault?) {
        self.limit = limit
        self.fault = fault
        book = PoolBook(limit: limit)
        if book.start() { connecting += 1 }
    }

    mutating func run(_ dice: inout Dice) throws(Broken) {
        for _ in 0..<(20 + dice.below(40)) {
            switch dice.below(12) {
            case 0...3: try ask()
            case 4...5: try connect()
            case 6...8: try giveBack(&dice)
            case 9: leave(&dice)
            case 10: try end(&dice)
            default: if dice.happens(20) { try crowd(&dice) }
            }
            try check()
        }
        try settle(&dice)
    }

    // MARK: what tasks do

    private mutating func ask() throws(Broken) {
        let task = tasks
        tasks += 1
        // Nobody overtakes those who wait: one is idle only while nobody does.
        let mustWait = !waiting.isEmpty
        switch book.ask(isOpen: { $0.isOpen }) {
        case .take(let connection):
            try must(!mustWait, "task \(task) went before those who waited")
            try grant(connection, to: task)
        case .wait(let growing):
            if growing { connecting += 1 }
            waiting.append(task)
        }
    }

    private mutating func crowd(_ dice: inout Dice) throws(Broken) {
        for _ in 0..<dice.below(6) { try ask() }
    }

    private mutating func giveBack(_ dice: inout Dice) throws(Broken) {
        let holders = holding.keys.sorted()
        guard let place = dice.place(in: holders), let connection = holding.removeValue(forKey: holders[place])
        else { return }
        connection.holder = nil
        connection.isClean = dice.happens(85)
        try offer(connection)
    }

    /// Its time ran out, or its caller went away: at any moment, also when a connection is on its way to it.
    private mutating func leave(_ dice: inout Dice) {
        guard let place = dice.place(in: waiting) else { return }
        waiting.remove(at: place)
        left += 1
    }

    // MARK: what connections do

    private mutating func connect() throws(Broken) {
        guard connecting > 0 else { return }
        connecting -= 1
        let connection = Connection(connections.count)
        connections.append(connection)
        try offer(connection)
    }

    private mutating func end(_ dice: inout Dice) throws(Broken) {
        let open = connections.filter(\.isOpen)
        guard let place = dice.place(in: open) else { return }
        close(open[place])
    }

    private mutating func close(_ connection: Connection) {
        connection.isOpen = false
        if fault != .keepsEnded { book.ended(connection) }
        connecting += 1  // Its line connects again.
    }

    private mutating func offer(_ connection: Connection) throws(Broken) {
        let isClean = fault == .keepsUnclean || connection.isClean
        let waits = fault == .forgetsWaiters ? waiting.count > 2 : !waiting.isEmpty
        switch book.back(connection, isOpen: connection.isOpen, isClean: isClean, someoneWaits: waits) {
        case .gone: return
        case .end: close(connection)
        case .keep: try must(connection.isClean, "a connection that may be in a transaction is kept")
        case .hand:
            try must(!waiting.isEmpty, "a connection was handed to nobody")
            let first = waiting.remove(at: fault == .lastFirst ? waiting.count - 1 : 0)
            try must(waiting.allSatisfy { first < $0 }, "task \(first) went before who came earlier")
            if fault == .dropsForLeavers, first.isMultiple(of: 7) { return left += 1 }
            try grant(connection, to: first)
        }
    }

    private mutating func grant(_ connection: Connection, to task: Int) throws(Broken) {
        try must(connection.isOpen, "task \(task) was given a connection that has ended")
        try must(connection.holder == nil, "connection \(connection.number) has two holders")
        try must(connection.isClean, "task \(task) was given a connection that may be in a transaction")
        connection.holder = task
        holding[task] = connection
        served += 1
    }

    // MARK: what must be true

    private func check() throws(Broken) {
        let open = connections.count { $0.isOpen }
        try must(open + connecting == book.lines && book.lines <= limit, "there are more or fewer connections than lines")
        let free = connections.count { $0.isOpen && $0.holder == nil }
        try must(book.idleCount == free, "\(free) connections are free, the book knows \(book.idleCount)")
        try must(free == 0 || waiting.isEmpty, "somebody waits while a connection is free")
        try must(waiting.isEmpty || book.lines == limit || open + connecting > 0, "nobody opens what is waited for")
    }

    /// Everything is given back and every line connects: then nobody may be left waiting.
    private mutating func settle(_ dice: inout Dice) throws(Broken) {
        var turns = 0
        while !waiting.isEmpty || !holding.isEmpty {
            turns += 1
            try must(turns < 1000, "somebody waits for ever")
            try giveBack(&dice)
            try connect()
            try check()
        }
        try must(served + left == tasks, "\(tasks) asked, \(served) were served and \(left) left")
    }
}
