import AMQP
import Messaging
import Testing

@Suite struct RelayBookTests {
    private let start = ContinuousClock.Instant.now
    private let audit = RelayBook.unhurried[0]
    private let token = "queue.token.issued.v1"

    @Test func `The first audit fact leaves at once, those after it leave together after a rest`() {
        var book = RelayBook()
        #expect(book.heldBack(at: start).isEmpty)
        _ = book.settle([token, audit], upTo: 1, [.confirmed, .confirmed], at: start)
        #expect(book.heldBack(at: start + RelayBook.rest / 2) == RelayBook.unhurried)
        #expect(book.heldBack(at: start + RelayBook.rest).isEmpty)
    }

    @Test func `Nothing rests while only others leave`() {
        var book = RelayBook()
        _ = book.settle([token], upTo: 1, [.confirmed], at: start)
        #expect(book.heldBack(at: start).isEmpty)
    }

    @Test func `A rest ends when it said, however busy the relay is with others`() {
        var book = RelayBook()
        _ = book.settle([audit], upTo: 1, [.confirmed], at: start)
        for step in 1..<10 {
            #expect(book.heldBack(at: start + RelayBook.rest * step / 10) == RelayBook.unhurried)
            _ = book.settle([token], upTo: 1, [.confirmed], at: start + RelayBook.rest * step / 10)
        }
        #expect(book.heldBack(at: start + RelayBook.rest).isEmpty)
    }

    @Test func `The relay looks again when the rest is over, if something may have come`() {
        var book = RelayBook()
        _ = book.settle([audit], upTo: 1, [.confirmed], at: start)
        #expect(book.heldBack(at: start) == RelayBook.unhurried)
        var now = start
        for _ in 0..<3 { now += book.pause(upTo: .seconds(1), at: now) }
        #expect(now == start + RelayBook.rest)
        #expect(book.heldBack(at: now).isEmpty)
        #expect(book.pause(upTo: .seconds(1), at: now) == .seconds(1))
    }

    @Test func `What has piled up does not rest`() {
        var book = RelayBook()
        let pile = [String](repeating: audit, count: RelayBook.batch)
        let result = book.settle(pile, upTo: 1, pile.map { _ in .confirmed }, at: start)
        #expect(result.goesOn)
        #expect(book.heldBack(at: start).isEmpty)
    }

    @Test func `Whoever stops the process sends what rests, and what a full queue refused stays`() {
        var book = RelayBook()
        _ = book.settle([audit, token], upTo: 1, [.confirmed, .nacked], at: start)
        #expect(book.heldBack(at: start, everything: true) == [token])
    }

    @Test func `A look begins not far behind the newest that left, and once a second at the beginning`() {
        var book = RelayBook()
        #expect(book.floor(at: start) == 0)
        _ = book.settle([token], upTo: 100_000, [.confirmed], at: start)
        #expect(book.floor(at: start) == 100_000 - RelayBook.reach)
        #expect(book.floor(at: start + .milliseconds(999)) > 0)
        #expect(book.floor(at: start + .seconds(1)) == 0)
        #expect(book.floor(at: start + .seconds(1)) > 0)
        #expect(book.floor(at: start + .seconds(1), everything: true) == 0)
    }

    @Test func `A look at everything waits for what rests, and a pile is looked at whole`() {
        var book = RelayBook()
        _ = book.settle([audit], upTo: 100_000, [.confirmed], at: start)
        #expect(book.floor(at: start) > 0)
        #expect(book.heldBack(at: start + RelayBook.rest).isEmpty)
        #expect(book.floor(at: start + RelayBook.rest) == 0)
        let pile = [String](repeating: token, count: RelayBook.batch)
        _ = book.settle(pile, upTo: 100_256, pile.map { _ in .confirmed }, at: start + RelayBook.rest)
        #expect(book.floor(at: start + RelayBook.rest) == 0)
    }
}
