/// How long a turn takes to come, by how far apart the last ones were while somebody waited.
///
/// Pure, so that it can be tried with any times. What counts is the time between turns and not what each had to wait: after a
/// pause of 0.3 s all who came in it had waited 0.3 s, and two hundred at one slot would be told of a database that is overloaded
/// (CI turned ten of them away). One pause is one long gap among a hundred and twenty-eight.
struct TurnTimes {
    private static let memory = 128
    private var known = 0
    /// Between two turns; less than it is until so many have come.
    private(set) var each = Duration.zero

    /// A turn came this long after the one before it, or after somebody began to wait for it.
    mutating func came(after gap: Duration) {
        each += (known < Self.memory ? gap : gap - each) / Self.memory
        known = min(known + 1, Self.memory)
    }

    func wait(behind ahead: Int) -> Duration { each * ahead }
}
