import Loop

/// SKELETON: Redis as a view and a bus, never the truth. Every call may throw `RedisError`; callers carry on without it.
@LoopActor package final class RedisClient {
    package nonisolated init(host: String, port: Int, password: String?) {}
    package func start() { fatalError("skeleton") }
    package var isReady: Bool { fatalError("skeleton") }
    /// One command, within its deadline (250 ms).
    @discardableResult package func command(_ arguments: [String]) async throws -> RedisReply { fatalError("skeleton") }
    /// Several commands in one flight, in MULTI/EXEC when `atomically`.
    @discardableResult package func commands(_ list: [[String]], atomically: Bool) async throws -> [RedisReply] { fatalError("skeleton") }
    /// Messages of a channel until the task is cancelled; survives reconnects (messages in between are lost).
    package func subscribe(_ channel: String, _ body: @escaping @LoopActor ([UInt8]) -> Void) { fatalError("skeleton") }
}

package enum RedisReply: Sendable, Equatable {
    case null
    case integer(Int64)
    case bytes([UInt8])
    case array([RedisReply])
    package var string: String? {
        if case .bytes(let bytes) = self { String(decoding: bytes, as: UTF8.self) } else { nil }
    }
}

package enum RedisError: Error { case unavailable, timeout, server(String) }
