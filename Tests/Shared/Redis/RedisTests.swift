import Loop
import Redis
import TestSupport
import Testing

@Suite struct RedisTests {
    /// Runs `body` with a client that is connected.
    private func withRedis(
        _ body: sending @escaping @LoopActor (RedisClient) async throws -> Void
    ) async throws {
        try await onLoop {
            let redis = try TestServers.redis(deadline: .seconds(2))
            redis.start()
            defer { redis.close() }
            try await self.ready(redis)
            try await body(redis)
        }
    }

    @LoopActor private func ready(_ redis: RedisClient) async throws {
        while !redis.isReady { try await EventLoop.sleep(for: .milliseconds(2)) }
    }

    private func fresh(_ name: String) -> String { "test:\(name):\(UInt64.random(in: 0 ... .max))" }

    @Test func `What is set is got, byte for byte`() async throws {
        try await withRedis { redis in
            let key = fresh("bytes")
            let bytes = (0...255).map { UInt8($0) }
            try await redis.command(bytes: [Array("SETEX".utf8), Array(key.utf8), Array("60".utf8), bytes])
            let got = try await redis.command(["GET", key])
            #expect(got == .bytes(bytes))
            let missing = try await redis.command(["GET", key + ":no"])
            #expect(missing == .null)
        }
    }

    @Test func `Many commands of one tick come back in their own order`() async throws {
        try await withRedis { redis in
            let tasks = (0..<500).map { index in EventLoop.spawn { try await redis.command(["ECHO", "\(index)"]) } }
            for (index, task) in tasks.enumerated() {
                let reply = try await task.value
                #expect(reply.string == "\(index)")
            }
        }
    }

    @Test func `A script answers with what it returns`() async throws {
        try await withRedis { redis in
            let reply = try await redis.command(["EVAL", "return {1, ARGV[1], false, {2}}", "0", "a"])
            #expect(reply == .array([.integer(1), .bytes([0x61]), .null, .array([.integer(2)])]))
        }
    }

    @Test func `A refused command throws what the server said`() async throws {
        try await withRedis { redis in
            do {
                try await redis.command(["NOSUCH"])
                Issue.record("a command nobody knows was accepted")
            } catch RedisError.server(let message) { #expect(message.hasPrefix("ERR unknown command")) }
        }
    }

    @Test func `Commands in one transaction all run or none`() async throws {
        try await withRedis { redis in
            let key = fresh("multi")
            let replies = try await redis.commands([["SET", key, "1", "EX", "60"], ["INCR", key]], atomically: true)
            #expect(replies == [.bytes(Array("OK".utf8)), .integer(2)])
            do {
                try await redis.commands([["INCR", key], ["NOSUCH"]], atomically: true)
                Issue.record("half a transaction was accepted")
            } catch RedisError.server {}
            let value = try await redis.command(["GET", key])
            #expect(value.string == "2")
            let loose = try await redis.commands([["INCR", key], ["GET", key]], atomically: false)
            #expect(loose == [.integer(3), .bytes(Array("3".utf8))])
        }
    }

    @Test func `A command that takes too long is a timeout, and the next one works`() async throws {
        try await onLoop {
            let redis = try TestServers.redis(deadline: .milliseconds(100))
            redis.start()
            defer { redis.close() }
            try await self.ready(redis)
            await #expect(throws: RedisError.timeout) {
                try await redis.command(["BLPOP", self.fresh("nothing"), "5"])
            }
            try await self.ready(redis)
            let pong = try await redis.command(["PING"])
            #expect(pong.string == "PONG")
        }
    }

    @Test func `Without a connection a command fails at once`() async throws {
        try await onLoop {
            let redis = RedisClient(host: "127.0.0.1", port: 1, password: nil)
            redis.start()
            defer { redis.close() }
            await #expect(throws: RedisError.unavailable) { try await redis.command(["PING"]) }
            #expect(!redis.isReady)
        }
    }

    @Test func `A connection that is killed comes back`() async throws {
        try await withRedis { redis in
            for _ in 0..<3 {
                let id = try await redis.command(["CLIENT", "ID"])
                guard case .integer(let number) = id else { throw RedisError.unavailable }
                _ = try? await redis.command(["CLIENT", "KILL", "ID", "\(number)", "SKIPME", "no"])
                while redis.isReady { try await EventLoop.sleep(for: .milliseconds(2)) }
                try await ready(redis)
                let pong = try await redis.command(["PING"])
                #expect(pong.string == "PONG")
            }
            #expect(redis.reconnects == 3)
        }
    }

    @Test func `Messages are heard by every listener, also after the connection was killed`() async throws {
        try await withRedis { redis in
            let channel = fresh("channel")
            var heard: [String] = []
            var resumed = 0
            let first = redis.subscribe(channel) { heard.append("1 " + String(decoding: $0, as: UTF8.self)) }
            do {
                redis.subscribe(channel) { heard.append("2 " + String(decoding: $0, as: UTF8.self)) } resumed: {
                    resumed += 1
                }
            }
            while resumed < 1 { try await EventLoop.sleep(for: .milliseconds(2)) }
            try await redis.command(["PUBLISH", channel, "hello"])
            while heard.count < 2 { try await EventLoop.sleep(for: .milliseconds(2)) }
            #expect(heard.sorted() == ["1 hello", "2 hello"])

            first.cancel()
            // Other tests' subscriptions are cut as well, and come back as well.
            try await redis.command(["CLIENT", "KILL", "TYPE", "pubsub"])
            while resumed < 2 { try await EventLoop.sleep(for: .milliseconds(2)) }
            try await redis.command(["PUBLISH", channel, "again"])
            while heard.count < 3 { try await EventLoop.sleep(for: .milliseconds(2)) }
            #expect(heard.last == "2 again")
        }
    }

    @Test func `A wrong password never becomes ready`() async throws {
        try await onLoop {
            let redis = try TestServers.redis(password: "wrong")
            redis.start()
            defer { redis.close() }
            try await EventLoop.sleep(for: .milliseconds(200))
            #expect(!redis.isReady)
            await #expect(throws: RedisError.unavailable) { try await redis.command(["PING"]) }
        }
    }
}
