import Loop

/// The connection that listens, and who listens to what. It is opened with the first subscription.
@LoopActor final class RedisSubscriptions {
    private let line: RedisLine
    private var byChannel: [String: [RedisSubscription]] = [:]

    nonisolated init(_ address: RedisLine.Address) { line = RedisLine(address) }

    func add(
        _ channel: String, _ body: @escaping @LoopActor ([UInt8]) -> Void, _ resumed: (@LoopActor () -> Void)?
    ) -> RedisSubscription {
        let subscription = RedisSubscription(channel, body, resumed, owner: self)
        let isNew = byChannel[channel] == nil
        byChannel[channel, default: []].append(subscription)
        line.onOpen = { [weak self] connection in
            guard let self, !self.byChannel.isEmpty else { return }
            self.say("SUBSCRIBE", Array(self.byChannel.keys), connection)
        }
        line.onPush = { [weak self] in self?.pushed($0) }
        line.start()
        if isNew, let connection = line.open { say("SUBSCRIBE", [channel], connection) }
        return subscription
    }

    func remove(_ subscription: RedisSubscription) {
        let channel = subscription.channel
        byChannel[channel]?.removeAll { $0 === subscription }
        guard byChannel[channel]?.isEmpty == true else { return }
        byChannel[channel] = nil
        if let connection = line.open { say("UNSUBSCRIBE", [channel], connection) }
    }

    func stop() { line.stop() }

    private func say(_ verb: String, _ channels: [String], _ connection: RedisConnection) {
        connection.post([([verb] + channels).map { Array($0.utf8) }])
    }

    private func pushed(_ reply: RedisReply) {
        guard case .array(let parts) = reply, parts.count == 3, let channel = parts[1].string else { return }
        for subscription in byChannel[channel] ?? [] {
            if parts[0].string == "message", case .bytes(let payload) = parts[2] { subscription.body(payload) }
            if parts[0].string == "subscribe" { subscription.resumed?() }
        }
    }
}

/// One listener of one channel.
@LoopActor package final class RedisSubscription {
    let channel: String
    let body: @LoopActor ([UInt8]) -> Void
    let resumed: (@LoopActor () -> Void)?
    private weak var owner: RedisSubscriptions?

    init(
        _ channel: String, _ body: @escaping @LoopActor ([UInt8]) -> Void, _ resumed: (@LoopActor () -> Void)?,
        owner: RedisSubscriptions
    ) {
        self.channel = channel
        self.body = body
        self.resumed = resumed
        self.owner = owner
    }

    package func cancel() { owner?.remove(self) }
}
