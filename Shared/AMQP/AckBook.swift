/// Says acknowledgements with as few words as the protocol allows.
///
/// Pure. The broker numbers what it delivers 1, 2, 3 … per channel and lets one word cover everything up to a number.
/// That may only be said when all of it is done, and only of a number that is still open.
package struct AckBook: Sendable {
    package struct Ack: Sendable, Equatable {
        package let tag: UInt64
        /// Everything up to it, too.
        package let multiple: Bool
        package init(_ tag: UInt64, multiple: Bool) {
            self.tag = tag
            self.multiple = multiple
        }
    }

    /// All below are acknowledged.
    private var oldestOpen: UInt64 = 1
    /// Acknowledged one by one although an older one is still open.
    private var ahead: Set<UInt64> = []

    package init() {}

    /// What to tell the broker now that these are done.
    package mutating func say(_ tags: [UInt64]) -> [Ack] {
        let tags = Set(tags).filter { $0 >= oldestOpen && !ahead.contains($0) }
        let first = oldestOpen
        var last: UInt64?
        while true {
            if tags.contains(oldestOpen) { last = oldestOpen } else if ahead.remove(oldestOpen) == nil { break }
            oldestOpen += 1
        }
        var acks = last.map { [Ack($0, multiple: $0 > first)] } ?? []
        for tag in tags.sorted() where tag > oldestOpen {
            ahead.insert(tag)
            acks.append(Ack(tag, multiple: false))
        }
        return acks
    }
}
