/// First in, first out, in one ring of memory: what a pipelined connection still owes answers to.
package struct FIFO<Element> {
    private var ring: [Element?]
    private var head = 0
    package private(set) var count = 0

    package init() { ring = Array(repeating: nil, count: 16) }

    package var isEmpty: Bool { count == 0 }
    package var first: Element? { count == 0 ? nil : ring[head] }

    package mutating func append(_ element: Element) {
        if count == ring.count { grow() }
        ring[(head + count) & (ring.count - 1)] = element
        count += 1
    }

    package mutating func popFirst() -> Element? {
        guard count > 0 else { return nil }
        let element = ring[head]
        ring[head] = nil
        head = (head + 1) & (ring.count - 1)
        count -= 1
        return element
    }

    /// The size stays a power of two, so that wrapping is a mask.
    private mutating func grow() {
        let elements = (0..<count).map { ring[(head + $0) & (ring.count - 1)] }
        ring = elements + Array(repeating: nil, count: max(16, count))
        head = 0
    }
}
