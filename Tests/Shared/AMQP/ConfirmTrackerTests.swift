import AMQP
import Testing

struct ConfirmTrackerTests {
    private func tracker(sending count: Int) -> ConfirmTracker {
        var tracker = ConfirmTracker()
        for number in 0..<count { _ = tracker.on(.sent(token: UInt64(100 + number), messageID: "m\(number)")) }
        return tracker
    }

    @Test func `A single ack confirms its message only`() {
        var tracker = tracker(sending: 3)
        #expect(tracker.on(.acknowledged(tag: 2, multiple: false)) == [.init(token: 101, outcome: .confirmed)])
        #expect(tracker.inFlight == 2)
    }

    @Test func `A multiple ack confirms everything up to its tag that is still open`() {
        var tracker = tracker(sending: 5)
        _ = tracker.on(.acknowledged(tag: 2, multiple: false))
        let settled = tracker.on(.acknowledged(tag: 4, multiple: true))
        #expect(settled.map(\.token) == [100, 102, 103])
        #expect(settled.allSatisfy { $0.outcome == .confirmed })
        #expect(tracker.inFlight == 1)
    }

    @Test func `A multiple ack with tag 0 means everything sent so far`() {
        var tracker = tracker(sending: 3)
        #expect(tracker.on(.acknowledged(tag: 0, multiple: true)).count == 3)
        #expect(tracker.inFlight == 0)
    }

    @Test func `A nack is a refusal, also of many`() {
        var tracker = tracker(sending: 3)
        let settled = tracker.on(.refused(tag: 2, multiple: true))
        #expect(settled == [.init(token: 100, outcome: .nacked), .init(token: 101, outcome: .nacked)])
    }

    @Test func `A return before the ack means that nobody has the message`() {
        var tracker = tracker(sending: 3)
        #expect(tracker.on(.returned(messageID: "m1")) == [])
        let settled = tracker.on(.acknowledged(tag: 3, multiple: true))
        #expect(settled.map(\.outcome) == [.confirmed, .returned, .confirmed])
    }

    @Test func `Two messages in flight under one id are returned oldest first`() {
        var tracker = ConfirmTracker()
        _ = tracker.on(.sent(token: 1, messageID: "same"))
        _ = tracker.on(.sent(token: 2, messageID: "same"))
        _ = tracker.on(.returned(messageID: "same"))
        #expect(tracker.on(.acknowledged(tag: 1, multiple: false)) == [.init(token: 1, outcome: .returned)])
        #expect(tracker.on(.acknowledged(tag: 2, multiple: false)) == [.init(token: 2, outcome: .confirmed)])
    }

    @Test func `A tag that is unknown or settled already settles nothing`() {
        var tracker = tracker(sending: 2)
        #expect(tracker.on(.acknowledged(tag: 9, multiple: true)) == [])
        _ = tracker.on(.acknowledged(tag: 1, multiple: false))
        #expect(tracker.on(.acknowledged(tag: 1, multiple: false)) == [])
        #expect(tracker.on(.returned(messageID: "nobody")) == [])
    }

    @Test func `Losing the connection leaves every open message unknown and starts the numbering anew`() {
        var tracker = tracker(sending: 3)
        _ = tracker.on(.acknowledged(tag: 1, multiple: false))
        #expect(tracker.on(.lost) == [.init(token: 101, outcome: .unknown), .init(token: 102, outcome: .unknown)])
        _ = tracker.on(.sent(token: 7, messageID: "x"))
        #expect(tracker.on(.acknowledged(tag: 1, multiple: false)) == [.init(token: 7, outcome: .confirmed)])
    }

    @Test func `Whatever the order of answers, every message is settled exactly once`() {
        for seed in 0..<200 as Range<UInt64> {
            var random = Seeded(state: seed)
            var tracker = ConfirmTracker()
            var settled: [UInt64] = []
            var sent: UInt64 = 0
            for _ in 0..<300 {
                switch Int.random(in: 0..<4, using: &random) {
                case 0, 1:
                    sent += 1
                    _ = tracker.on(.sent(token: sent, messageID: "\(sent % 7)"))
                case 2:
                    let tag = UInt64.random(in: 0...sent + 1, using: &random)
                    settled += tracker.on(.acknowledged(tag: tag, multiple: Bool.random(using: &random))).map(\.token)
                default:
                    let tag = UInt64.random(in: 0...sent + 1, using: &random)
                    _ = tracker.on(.returned(messageID: "\(tag % 7)"))
                    settled += tracker.on(.refused(tag: tag, multiple: Bool.random(using: &random))).map(\.token)
                }
            }
            settled += tracker.on(.lost).map(\.token)
            #expect(settled.sorted() == Array(1...max(sent, 1)).filter { $0 <= sent })
        }
    }
}

/// SplitMix64: one seed replays a run.
private struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
