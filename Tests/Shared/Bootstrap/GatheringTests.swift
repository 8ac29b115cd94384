import Access
import JSON
import Loop
import Postgres
import Primitives
import TestSupport
import Testing

@testable import Bootstrap

@LoopActor private func make(
    _ name: String, _ host: TestHost, by bearer: String? = nil, key: String? = nil
) async throws -> TestHost.Answer {
    await host.send(
        "POST", "/v1/things/together", bytes: (["name": .string(name)] as JSONObject).jsonBytes,
        bearer: try bearer ?? host.token(.pharmacist), headers: key.map { [("Idempotency-Key", $0)] } ?? [])
}

@LoopActor private func hold(_ host: TestHost) async throws -> [LoopTask<TestHost.Answer>] {
    var held: [LoopTask<TestHost.Answer>] = []
    for number in 1...4 {
        held.append(EventLoop.spawn { try await make("held \(number)", host) })
        try await Hold.untilHeld(host.tenant, held.count)
    }
    return held
}

extension Range<Int> {
    /// All of them waiting behind the four that are held.
    @LoopActor fileprivate func asked(
        of host: TestHost, _ ask: @escaping @LoopActor (Int) async throws -> TestHost.Answer
    ) async throws -> [LoopTask<TestHost.Answer>] {
        let asked = map { index in EventLoop.spawn { try await ask(index) } }
        let end = ContinuousClock.now + .seconds(10)
        while host.host.requests.inFlight < count + 4 {
            try #require(ContinuousClock.now < end, "somebody was answered and did not wait")
            await Task.yield()
        }
        return asked
    }
}

/// Everything in `names` asked for while four transactions are held; how many more it took, and what each was answered.
@LoopActor private func gathered(
    _ names: [String], _ host: TestHost, _ ask: @escaping @LoopActor (Int) async throws -> TestHost.Answer
) async throws -> (transactions: Int, answers: [TestHost.Answer]) {
    let held = try await hold(host)
    let before = host.host.db.counters.transactions
    let asked = try await names.indices.asked(of: host, ask)
    Hold.letGo(host.tenant)
    for one in held { #expect(try await one.value.status == 201) }
    var answers: [TestHost.Answer] = []
    for one in asked { answers.append(try await one.value) }
    return (host.host.db.counters.transactions - before - held.count, answers)
}

/// What comes at the same moment, made in one transaction. Four that are held keep everybody who comes after them waiting.
@Suite struct GatheringTests {
    @Test func `Who comes while others are under way goes with all who wait, and each is answered and named for their own`() async throws {
        try await onLoop {
            try await Toy.with { host in
                let people = (0..<20).map { _ in AccountID() }
                let names = (0..<20).map { "thing \($0)" }
                let ask: @LoopActor (Int) async throws -> TestHost.Answer = { index in
                    try await make(names[index], host, by: host.token(.pharmacist, account: people[index]), key: "once")
                }
                let (transactions, answers) = try await gathered(names, host, ask)
                #expect(transactions == 1)
                #expect(answers.map(\.status) == names.map { _ in 201 })
                #expect(try answers.map { try $0.json.required("name", as: String.self) } == names)
                let made = try answers.map { try $0.json.required("id", as: String.self) }
                let facts = try await host.host.db.systemTransaction { tx in
                    try await tx.all("select subject, actor, type from outbox where actor = any(\(people)::uuid[])") { row in
                        (try row.next(as: String.self), try row.next(as: AccountID.self), try row.next(as: String.self))
                    }
                }
                #expect(facts.count == 40)
                for (subject, actor, _) in facts { #expect(made.firstIndex(of: subject) == people.firstIndex(of: actor)) }
                // Each key keeps its own answer.
                for index in names.indices {
                    let again = try await ask(index)
                    #expect(again.bytes == answers[index].bytes)
                    #expect(again.header("Idempotent-Replayed") == "true")
                }
            }
        }
    }

    @Test func `Whom something stands against is told why, and the others are made together`() async throws {
        try await onLoop {
            try await Toy.with { host in
                let before = try await make("taken", host, key: "known")
                let names = ["a", "taken", "b", "b", "c", "taken"]
                let (transactions, answers) = try await gathered(names, host) { index in
                    try await make(names[index], host, key: index == 5 ? "known" : "new-\(index)")
                }
                #expect(answers.map(\.status) == [201, 409, 201, 409, 201, 201])
                #expect(answers[1].code == "name_taken")
                #expect(answers[5].bytes == before.bytes)
                // One for the three, and one for each who had to be told; what refuses nobody is not asked again.
                #expect(transactions == 4)
            }
        }
    }

    @Test func `What fails undoes nothing of the others`() async throws {
        try await onLoop {
            try await Toy.with { host in
                let names = ["a", "unlucky", "odd", "b"]
                let (_, answers) = try await gathered(names, host) { index in
                    try await make(names[index], host, key: names[index])
                }
                #expect(answers.map(\.status) == [201, 422, 422, 201])
                #expect(try await host.announced().count == 6)
            }
        }
    }

    @Test func `Who has to wait for somebody holds up none of those who came along`() async throws {
        try await onLoop {
            try await Toy.with { host in
                var waits: LoopTask<TestHost.Answer>?
                try await host.host.db.transaction(for: host.tenant) { tx in
                    try await tx.run("insert into thing (id, name) values (gen_random_uuid(), 'x')")
                    let asked = ["x", "a", "b"].map { name in EventLoop.spawn { try await make(name, host) } }
                    for one in asked.dropFirst() { #expect(try await one.value.status == 201) }
                    waits = asked.first
                }
                #expect(try await waits?.value.code == "name_taken")
            }
        }
    }

    @Test func `One key for two things at once makes one of them`() async throws {
        try await onLoop {
            try await Toy.with { host in
                let names = ["a", "b"]
                let (_, answers) = try await gathered(names, host) { try await make(names[$0], host, key: "same") }
                #expect(answers.count { $0.status == 201 } == 1)
                #expect(answers.contains { ["idempotency_key_reused", "request_in_progress"].contains($0.code) })
                #expect(try await host.announced().count == 5)
            }
        }
    }

    @Test func `What another tenant wants goes by itself`() async throws {
        try await onLoop {
            try await Toy.with { host in
                let other = TenantID()
                let bearers = try [host.token(.pharmacist), host.token(.pharmacist, tenant: other)]
                // The same name: each tenant has its own.
                let names = ["a", "a", "b", "b"]
                let (transactions, answers) = try await gathered(names, host) { index in
                    try await make(names[index], host, by: bearers[index % 2])
                }
                #expect(answers.map(\.status) == [201, 201, 201, 201])
                #expect(transactions == 2)
                let theirs = try await host.host.db.reader(for: other).first("select count(*) from thing", as: { try $0.next(as: Int.self) })
                #expect(theirs == 2)
            }
        }
    }

    @Test func `Behind a crowd the rest go alone, and everybody is answered`() async throws {
        try await onLoop {
            try await Toy.with { host in
                let names = (0..<140).map { "thing \($0)" }
                let (transactions, answers) = try await gathered(names, host) { try await make(names[$0], host) }
                #expect(answers.allSatisfy { $0.status == 201 })
                // 128 in four, twelve by themselves.
                #expect(transactions <= 16)
                #expect(transactions >= 13)
            }
        }
    }

    @Test func `Without its database everybody who waits is told`() async throws {
        try await onLoop {
            try await Toy.with { host in
                let held = try await hold(host)
                let asked = try await (0..<40).asked(of: host) { try await make("thing \($0)", host) }
                host.host.db.close()
                Hold.letGo(host.tenant)
                for one in held + asked { #expect(try await one.value.status == 503) }
            }
        }
    }
}
