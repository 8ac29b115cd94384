import Loop

/// How late the loop's timers are: what every request waits for before anything of ours runs.
@LoopActor final class LoopLag {
    private static let period = 250_000_000
    private var worst = 0

    /// Measures four times a second for as long as the process lives.
    func start() { plan(at: EventLoop.shared.tickTime + Self.period) }

    private func plan(at due: Int) {
        EventLoop.shared.after(.nanoseconds(max(0, due - EventLoop.shared.tickTime))) {
            let now = EventLoop.shared.tickTime
            self.worst = max(self.worst, now - due)
            self.plan(at: now + Self.period)
        }
    }

    func write(to page: inout Exposition) {
        page.add(
            "polyclinic_loop_lag_seconds", .gauge, "Worst lateness of a timer since the last scrape.",
            Double(worst) / 1_000_000_000)
        worst = 0
        page.add(
            "polyclinic_loop_remote_enqueues_total", .counter, "Jobs that came to the loop from another thread.",
            Double(EventLoop.shared.remoteEnqueues))
        page.add(
            "polyclinic_loop_wrong_thread_total", .counter, "Calls that should have been on the loop and were not.",
            Double(EventLoop.shared.wrongThread))
    }
}
