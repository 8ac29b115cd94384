import Loop

/// Tells a server that is slow from one that is silent, so that nobody waits out a deadline for what will not come.
///
/// A statement without an answer after `patience` is a suspicion: it may only be slow. The server is silent when a new
/// connection is not answered within `patience` either and nothing was heard on any connection meanwhile. Then all
/// connections end, and until one opens again everybody is told at once: a caller knows within 2 s (promise R18).
@LoopActor final class Pulse {
    nonisolated static let patience = Duration.seconds(1)

    private let configuration: Database.Configuration
    private var heardAt = 0
    private var probe: Connection?
    private(set) var isSilent = false
    /// Ends every connection.
    var onSilence: @LoopActor () -> Void = {}

    init(_ configuration: Database.Configuration) { self.configuration = configuration }

    /// The server said something: an answer, or that a connection is open.
    func heard() {
        heardAt = EventLoop.shared.tickTime
        isSilent = false
    }

    /// Somebody waits for an answer; `address` is where their connection leads.
    func suspect(_ address: String?) {
        let began = EventLoop.shared.tickTime
        guard probe == nil, !isSilent, began - heardAt >= Self.patience.nanoseconds else { return }
        let probe = Connection(configuration, purpose: .reading)
        self.probe = probe
        let verdict = EventLoop.shared.after(Self.patience) { [weak self] in
            if let self, self.heardAt < began { self.fallSilent() }
            probe.end()
        }
        // Open or refused, it is an answer.
        probe.onOpen = { $0.end() }
        probe.onEnd = { [weak self] _, _ in
            EventLoop.shared.cancelTimer(verdict)
            self?.probe = nil
        }
        probe.connect(configuration.settings(for: .reading, address: address))
    }

    private func fallSilent() {
        isSilent = true
        onSilence()
    }
}
