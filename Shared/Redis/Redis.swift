import Loop

/// Redis as a view and a bus, never the truth. Every call may throw `RedisError`; callers carry on without it.
///
/// One connection for commands, one more for subscriptions once there are any. Both come back by themselves.
@LoopActor package final class RedisClient {
    private let line: RedisLine
    private let subscriptions: RedisSubscriptions

    /// `host` that is a path is a unix socket.
    /// `passwordNow` is asked at every new connection, so that a changed password needs no restart.
    package nonisolated init(
        host: String, port: Int, password: String?, deadline: Duration = .milliseconds(250),
        passwordNow: (@Sendable () -> String)? = nil
    ) {
        let address = RedisLine.Address(
            host: host, port: port, password: passwordNow ?? { password ?? "" }, deadline: deadline)
        line = RedisLine(address)
        subscriptions = RedisSubscriptions(address)
    }

    /// Starts connecting and keeps reconnecting with jittered backoff; returns at once.
    package func start() { line.start() }

    package func close() {
        line.stop()
        subscriptions.stop()
    }

    package var isReady: Bool { line.open != nil }
    package var reconnects: Int { line.reconnects }

    /// One command, within its deadline (250 ms).
    @discardableResult package func command(_ arguments: [String]) async throws -> RedisReply {
        try await command(bytes: arguments.map { Array($0.utf8) })
    }

    /// One command whose arguments need not be text.
    @discardableResult package func command(bytes arguments: [[UInt8]]) async throws -> RedisReply {
        guard let reply = try await send([arguments]).first else { throw RedisError.unavailable }
        return try reply.orThrow()
    }

    /// Several commands in one flight, in MULTI/EXEC when `atomically`. The first refusal is thrown; without
    /// `atomically` the others have run all the same.
    @discardableResult package func commands(_ list: [[String]], atomically: Bool) async throws -> [RedisReply] {
        let list = list.map { $0.map { Array($0.utf8) } }
        if list.isEmpty { return [] }
        guard atomically else { return try await send(list).map { try $0.orThrow() } }
        let replies = try await send([[Array("MULTI".utf8)]] + list + [[Array("EXEC".utf8)]])
        // A command that was refused while it was queued says why; EXEC only says that something was.
        for reply in replies { _ = try reply.orThrow() }
        guard case .array(let results)? = replies.last else { throw RedisError.server("EXEC did nothing") }
        return try results.map { try $0.orThrow() }
    }

    /// Messages of a channel until the subscription is cancelled; survives reconnects (messages in between are
    /// lost, and `resumed` is called each time it listens again).
    @discardableResult
    package func subscribe(
        _ channel: String, _ body: @escaping @LoopActor ([UInt8]) -> Void,
        resumed: (@LoopActor () -> Void)? = nil
    ) -> RedisSubscription {
        subscriptions.add(channel, body, resumed)
    }

    private func send(_ commands: [[[UInt8]]]) async throws -> [RedisReply] {
        guard let connection = line.open else { throw RedisError.unavailable }
        return try await connection.send(commands)
    }
}

package enum RedisReply: Sendable, Equatable {
    case null
    case integer(Int64)
    case bytes([UInt8])
    case array([RedisReply])
    /// Only inside an array; a command that is refused throws.
    case error(String)

    package var string: String? {
        if case .bytes(let bytes) = self { String(decoding: bytes, as: UTF8.self) } else { nil }
    }

    func orThrow() throws(RedisError) -> RedisReply {
        if case .error(let message) = self { throw .server(message) }
        return self
    }
}

package enum RedisError: Error, Equatable { case unavailable, timeout, server(String) }
