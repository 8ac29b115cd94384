import AMQP
import Testing

/// The consumer's book of acknowledgements: a broker that would close the channel at a wrong word.
@Suite struct AckSimulation {
    @Test func `Exactly what is done is acknowledged, each once, never a word about what is not open`() {
        Seeds.allKeep("acknowledgements") { dice in
            var book = AckBook()
            try run(&dice) { book.say($0) }
        }
    }

    @Test func `A book that is wrong is caught`() {
        Seeds.catchFault("everything up to the last is acknowledged") { dice in
            try run(&dice) { tags in tags.max().map { [AckBook.Ack($0, multiple: true)] } ?? [] }
        }
        Seeds.catchFault("repeated tags are repeated") { dice in
            try run(&dice) { tags in tags.map { AckBook.Ack($0, multiple: false) } }
        }
    }

    private func run(_ dice: inout Dice, _ say: ([UInt64]) -> [AckBook.Ack]) throws(Broken) {
        var delivered: UInt64 = 0
        var open: Set<UInt64> = []
        var working: [UInt64] = []
        var done: Set<UInt64> = []
        for _ in 0..<(10 + dice.below(40)) {
            for _ in 0..<dice.below(4) {
                delivered += 1
                open.insert(delivered)
                working.append(delivered)
            }
            var finished: [UInt64] = []
            for _ in 0..<dice.below(4) {
                guard let place = dice.place(in: working) else { break }
                finished.append(working.remove(at: place))
            }
            done.formUnion(finished)
            // A tag may be named twice, and one that was named before.
            if dice.happens(20), let again = done.randomElement(using: &dice) { finished.append(again) }
            for ack in say(finished) {
                try must(open.contains(ack.tag), "the broker closes the channel: \(ack.tag) is not open")
                let covered: Set<UInt64> = ack.multiple ? open.filter { $0 <= ack.tag } : [ack.tag]
                try must(covered.isSubset(of: done), "\(covered.subtracting(done)) are acknowledged and not done")
                open.subtract(covered)
            }
            try must(open.isDisjoint(with: done), "\(open.intersection(done)) are done and not acknowledged")
        }
    }
}
