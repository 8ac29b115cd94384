import JSON
import Postgres
import Primitives

/// How pressing it is.
enum Priority: String, Sendable, CaseIterable, JSONReadable, SQLReadable, SQLBindable {
    case routine, urgent, emergency

    /// 0 goes first.
    var urgency: Int {
        switch self {
        case .emergency: 0
        case .urgent: 1
        case .routine: 2
        }
    }
}

/// Where in the queue: the smaller place goes first.
///
/// Pressing before routine. Among equals those who booked and came on time before those who walked in, for a
/// booking is a promise; who comes too late has let it go and queues like a walk-in. Then by the time that was
/// promised, or by arrival. The number breaks ties, so the order is total. SQL sorts the stored columns the
/// same way, and a test holds the two together.
struct Place: Equatable, Comparable, Sendable {
    let urgency: Int
    /// 0 booked and on time, 1 walked in or late.
    let lane: Int
    let due: Timestamp
    let sequence: Int

    init(urgency: Int, lane: Int, due: Timestamp, sequence: Int) {
        self.urgency = urgency
        self.lane = lane
        self.due = due
        self.sequence = sequence
    }

    /// The place that a priority and a booking earn; the number comes when the token is issued.
    init(priority: Priority, bookedFor start: Timestamp?, arrivedAt now: Timestamp, graceSeconds: Int64) {
        urgency = priority.urgency
        sequence = 0
        if let start, now <= start.adding(seconds: graceSeconds) {
            lane = 0
            due = start
        } else {
            lane = 1
            due = now
        }
    }

    static func < (a: Place, b: Place) -> Bool {
        if a.urgency != b.urgency { return a.urgency < b.urgency }
        if a.lane != b.lane { return a.lane < b.lane }
        if a.due != b.due { return a.due < b.due }
        return a.sequence < b.sequence
    }
}
