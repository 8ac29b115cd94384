import Loop

/// One connection that waits for `notify`, on behalf of the whole process.
@LoopActor final class Listener {
    private let line: Line
    private var bodies: [String: [@LoopActor () -> Void]] = [:]

    init(_ configuration: Database.Configuration) {
        line = Line(configuration, purpose: .listening)
        line.onOpen = { [weak self] in self?.opened($0) }
        line.onNotification = { [weak self] channel in self?.bodies[channel]?.forEach { $0() } }
    }

    var reconnects: Int { line.reconnects }

    func add(_ channel: String, _ body: @escaping @LoopActor () -> Void) {
        let isNew = bodies[channel] == nil
        bodies[channel, default: []].append(body)
        guard let connection = line.open else { return line.start() }
        if isNew { listen([channel], connection) }
    }

    func stop() { line.stop() }

    private func opened(_ connection: Connection) { listen(Array(bodies.keys), connection) }

    /// Calls the bodies once the server listens: what was said before then went unheard.
    private func listen(_ channels: [String], _ connection: Connection) {
        EventLoop.spawn { [weak self] in
            for channel in channels {
                // The name is ours; `listen` takes no parameters.
                guard case .rows = await connection.send([], "listen \(unsafe: "\(Identifier(channel))")") else {
                    return connection.end()
                }
                self?.bodies[channel]?.forEach { $0() }
            }
        }
    }
}
