import Access
import Bootstrap
import Cryptography
import JSON
import Loop
import Postgres
import Primitives
import TestSupport
import Testing

@Suite struct IdempotencyTests {
    private static func key(_ text: String) -> [(name: String, value: String)] { [("Idempotency-Key", text)] }

    @LoopActor private static func things(_ host: TestHost) async throws -> Int {
        try await host.host.db.reader(for: host.tenant).first(
            "select count(*) from thing", as: { row in try row.next(as: Int.self) }) ?? -1
    }

    @Test func `The same key and body replays the stored answer, whatever the order of members`() async throws {
        try await onLoop {
            try await Toy.with { host in
                let first = try await host.send(
                    "POST", "/v1/things", body: ["name": "a", "count": .int(2)], as: .pharmacist,
                    headers: Self.key("k-1"))
                #expect(first.status == 201)
                let again = try await host.send(
                    "POST", "/v1/things", body: ["count": .int(2), "name": "a"], as: .pharmacist,
                    headers: Self.key("k-1"))
                #expect(again.status == 201)
                #expect(again.bytes == first.bytes)
                #expect(again.etag == first.etag)
                #expect(again.header("Location") == first.header("Location"))
                #expect(again.header("Idempotent-Replayed") == "true")
                #expect(first.header("Idempotent-Replayed") == nil)
                #expect(try await Self.things(host) == 1)
                #expect(try await host.announced().count == 1)
            }
        }
    }

    @Test func `An answer is sealed under a key of its tenant in its service, and under no other`() async throws {
        try await onLoop {
            try await Toy.with { host in
                _ = try await host.send(
                    "POST", "/v1/things", body: ["name": "a"], as: .pharmacist, headers: Self.key("k"))
                let stored = try await host.host.db.reader(for: host.tenant).first(
                    "select answer from idempotency", as: { try $0.next(as: Bytes.self).array })
                let box = try #require(stored)
                let context = Array("\(host.tenant)|\(host.account(.pharmacist))|idempotency|k".utf8)
                let master = host.host.config.masterKeys
                let schema = host.host.config.postgres.schema
                let own = master.keys(for: "idempotency|\(schema)|\(host.tenant)")
                #expect(try Sealed.open(box, keys: own, context: context).isEmpty == false)
                for use in ["idempotency", "idempotency|\(schema)|\(TenantID())", "idempotency|other|\(host.tenant)"] {
                    #expect(throws: CryptographyError.self) {
                        try Sealed.open(box, keys: master.keys(for: use), context: context)
                    }
                }
            }
        }
    }

    @Test func `The same key with another body is 422, and a key belongs to one caller`() async throws {
        try await onLoop {
            try await Toy.with { host in
                _ = try await host.send(
                    "POST", "/v1/things", body: ["name": "a"], as: .pharmacist, headers: Self.key("k"))
                let other = try await host.send(
                    "POST", "/v1/things", body: ["name": "b"], as: .pharmacist, headers: Self.key("k"))
                #expect((other.status, other.code) == (422, "idempotency_key_reused"))
                let colleague = try host.token(.pharmacist, account: AccountID())
                let theirs = await host.send(
                    "POST", "/v1/things", bytes: Array(#"{"name":"b"}"#.utf8), bearer: colleague,
                    headers: Self.key("k"))
                #expect(theirs.status == 201)
                #expect(try await Self.things(host) == 2)
            }
        }
    }

    @Test func `While the first is running the second is 409, and later it gets the first one's answer`() async throws
    {
        try await onLoop {
            try await Toy.with { host in
                let first = EventLoop.spawn {
                    try await host.send(
                        "POST", "/v1/things", body: ["name": "held"], as: .pharmacist, headers: Self.key("k"))
                }
                try await Hold.untilHeld(host.tenant)
                let second = try await host.send(
                    "POST", "/v1/things", body: ["name": "held"], as: .pharmacist, headers: Self.key("k"))
                #expect((second.status, second.code) == (409, "request_in_progress"))
                #expect(second.header("Retry-After") == "1")
                Hold.letGo(host.tenant)
                let done = try await first.value
                #expect(done.status == 201)
                let third = try await host.send(
                    "POST", "/v1/things", body: ["name": "held"], as: .pharmacist, headers: Self.key("k"))
                #expect(third.bytes == done.bytes)
                #expect(try await Self.things(host) == 1)
            }
        }
    }

    @Test func `A herd with one key changes one thing`() async throws {
        try await onLoop {
            try await Toy.with { host in
                let all = (0..<24).map { _ in
                    EventLoop.spawn {
                        try await host.send(
                            "POST", "/v1/things", body: ["name": "herd"], as: .pharmacist, headers: Self.key("k"))
                    }
                }
                // Never `name_taken`: that would be the first one's work held against its own repetition.
                var answers: [String] = []
                for one in all {
                    let answer = try await one.value
                    answers.append("\(answer.status) \(answer.code ?? "")")
                }
                #expect(Set(answers).isSubset(of: ["201 ", "409 request_in_progress"]))
                #expect(answers.contains("201 "))
                #expect(try await Self.things(host) == 1)
                #expect(try await host.announced().count == 1)
            }
        }
    }

    @Test func `A refusal is not stored: the key is free for the next attempt`() async throws {
        try await onLoop {
            try await Toy.with { host in
                for name in ["unlucky", "odd"] {
                    let refused = try await host.send(
                        "POST", "/v1/things", body: ["name": .string(name)], as: .pharmacist, headers: Self.key(name))
                    #expect(refused.status == 422)
                    let better = try await host.send(
                        "POST", "/v1/things", body: ["name": .string("good \(name)")], as: .pharmacist,
                        headers: Self.key(name))
                    #expect(better.status == 201)
                }
                #expect(try await Self.things(host) == 2)
            }
        }
    }

    @Test func `A connection that dies before the commit leaves neither the change nor the answer`() async throws {
        try await onLoop {
            try await Toy.with { host in
                let first = EventLoop.spawn {
                    try await host.send(
                        "POST", "/v1/things", body: ["name": "slow death"], as: .pharmacist, headers: Self.key("k"))
                }
                try await EventLoop.sleep(for: .milliseconds(100))
                try await host.database.killConnections()
                let cut = try await first.value
                #expect(cut.status == 503 || cut.status == 500 || cut.status == 201)
                let again = try await Self.untilAnswered {
                    try await host.send(
                        "POST", "/v1/things", body: ["name": "slow death"], as: .pharmacist, headers: Self.key("k"))
                }
                #expect(again.status == 201)
                #expect(try await Self.things(host) == 1)
            }
        }
    }

    @LoopActor private static func untilAnswered(
        _ ask: @LoopActor () async throws -> TestHost.Answer
    ) async throws -> TestHost.Answer {
        while true {
            let answer = try await ask()
            if answer.status != 503 && answer.status != 409 { return answer }
            try await EventLoop.sleep(for: .milliseconds(50))
        }
    }

    @Test func `Keys are 1 to 255 visible ASCII characters`() async throws {
        try await onLoop {
            try await Toy.with { host in
                for wrong in ["", "a b", "ключ", String(repeating: "k", count: 256)] {
                    let answer = try await host.send(
                        "POST", "/v1/things", body: ["name": "x"], as: .pharmacist, headers: Self.key(wrong))
                    #expect((answer.status, answer.code) == (400, "invalid_idempotency_key"), "\(wrong)")
                }
                let longest = try await host.send(
                    "POST", "/v1/things", body: ["name": "x"], as: .pharmacist,
                    headers: Self.key(String(repeating: "k", count: 255)))
                #expect(longest.status == 201)
            }
        }
    }

    @Test func `The stored answer cannot be read from the table`() async throws {
        try await onLoop {
            try await Toy.with { host in
                let answer = try await host.send(
                    "POST", "/v1/things", body: ["name": "a"], as: .pharmacist, headers: Self.key("k"))
                let stored = try await host.host.db.reader(for: host.tenant).first(
                    "select answer from idempotency", as: { row in try row.next(as: Bytes.self) })
                let id = try answer.json.required("id", as: String.self)
                let text = String(decoding: stored?.array ?? [], as: UTF8.self)
                #expect(!text.isEmpty && !text.contains(id))
            }
        }
    }
}
