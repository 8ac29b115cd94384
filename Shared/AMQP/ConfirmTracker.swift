/// Decides what became of each published message, from what the broker says about delivery tags.
///
/// Pure: events in, settled messages out. The broker numbers our messages 1, 2, 3 … per channel; it may
/// settle many at once, and it says `return` before the `ack` of a message that no queue wanted.
package struct ConfirmTracker: Sendable {
    package enum Event: Sendable {
        case sent(token: UInt64, messageID: String)
        case acknowledged(tag: UInt64, multiple: Bool)
        case refused(tag: UInt64, multiple: Bool)
        case returned(messageID: String)
        /// The connection is gone, and the numbering with it.
        case lost
    }

    package struct Settled: Sendable, Equatable {
        package let token: UInt64
        package let outcome: Outcome
        package init(token: UInt64, outcome: Outcome) {
            self.token = token
            self.outcome = outcome
        }
    }

    private struct Pending {
        let token: UInt64
        let messageID: String
        var isReturned = false
    }

    private var pending: [UInt64: Pending] = [:]
    private var oldest: UInt64 = 1
    private var next: UInt64 = 1

    package init() {}

    package var inFlight: Int { pending.count }

    package mutating func on(_ event: Event) -> [Settled] {
        switch event {
        case .sent(let token, let messageID):
            pending[next] = Pending(token: token, messageID: messageID)
            next += 1
            return []
        case .acknowledged(let tag, let multiple):
            return settle(tag, multiple) { $0.isReturned ? .returned : .confirmed }
        case .refused(let tag, let multiple):
            return settle(tag, multiple) { $0.isReturned ? .returned : .nacked }
        case .returned(let messageID):
            markReturned(messageID)
            return []
        case .lost:
            let settled = pending.sorted { $0.key < $1.key }.map { Settled(token: $0.value.token, outcome: .unknown) }
            self = ConfirmTracker()
            return settled
        }
    }

    /// `tag` 0 with `multiple` means everything sent so far. A tag we do not know settles nothing.
    private mutating func settle(_ tag: UInt64, _ multiple: Bool, _ outcome: (Pending) -> Outcome) -> [Settled] {
        let last = tag == 0 && multiple ? next - 1 : tag
        guard last < next else { return [] }
        var settled: [Settled] = []
        if multiple {
            while oldest <= last {
                if let one = pending.removeValue(forKey: oldest) {
                    settled.append(Settled(token: one.token, outcome: outcome(one)))
                }
                oldest += 1
            }
        } else if let one = pending.removeValue(forKey: last) {
            settled.append(Settled(token: one.token, outcome: outcome(one)))
        }
        while oldest < next, pending[oldest] == nil { oldest += 1 }
        return settled
    }

    /// Returns come in the order of sending, so the oldest of that id that is not yet returned is the one.
    private mutating func markReturned(_ messageID: String) {
        var tag = oldest
        while tag < next {
            if let one = pending[tag], one.messageID == messageID, !one.isReturned {
                pending[tag]?.isReturned = true
                return
            }
            tag += 1
        }
    }
}
