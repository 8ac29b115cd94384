import AMQP
import Testing

struct AckBookTests {
    @Test func `What is done without a gap is said in one word`() {
        var book = AckBook()
        #expect(book.say([1]) == [.init(1, multiple: false)])
        #expect(book.say([4, 2, 3]) == [.init(4, multiple: true)])
        #expect(book.say([]) == [])
    }

    @Test func `What is done ahead of an open one is said by itself, and never again`() {
        var book = AckBook()
        #expect(book.say([2, 4]) == [.init(2, multiple: false), .init(4, multiple: false)])
        // The word names 3, the last that is still open: the broker knows nothing of 4 any more.
        #expect(book.say([3, 1]) == [.init(3, multiple: true)])
        #expect(book.say([5, 4, 2]) == [.init(5, multiple: false)])
    }

    @Test(arguments: 0..<50)
    func `In any order each tag is covered exactly once, and never before it is done`(seed: UInt64) {
        var dice = Dice(state: seed &* 0x9e37_79b9_7f4a_7c15 | 1)
        var book = AckBook()
        var left = (1...200).map { UInt64($0) }.shuffled(using: &dice)
        var open = Set(left)
        var done: Set<UInt64> = []
        while !left.isEmpty {
            let some = left.prefix(Int.random(in: 1...9, using: &dice))
            left.removeFirst(some.count)
            done.formUnion(some)
            for ack in book.say(Array(some)) {
                #expect(open.contains(ack.tag))
                let covered = ack.multiple ? open.filter { $0 <= ack.tag } : Set([ack.tag])
                #expect(covered.isSubset(of: done))
                open.subtract(covered)
            }
            #expect(open == Set(1...200).subtracting(done))
        }
    }
}

private struct Dice: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}
