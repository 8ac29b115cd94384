/// How long a turn takes to come, by what those before had to wait.
///
/// Pure, so that it can be tried with any times. A single long wait moves it by half at most: that is a checkpoint more often than
/// a database that has become slow, and the next ones tell.
struct TurnTimes {
    /// Between two turns; nothing while nobody had to wait yet.
    private(set) var each = Duration.zero

    /// Somebody had a turn after this long, with so many ahead of them when they came.
    mutating func took(_ waited: Duration, behind ahead: Int) {
        let one = waited / (ahead + 1)
        each += (min(one, max(each, .milliseconds(1)) * 5) - each) / 8
    }

    func wait(behind ahead: Int) -> Duration { each * ahead }
}
