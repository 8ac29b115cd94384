import Access
import Glibc
import HTTPClient
import JSON
import Loop
import TestSupport
import Testing

@testable import Bootstrap

@Suite struct LifecycleTests {
    @Test func `Told to end, a process withdraws its readiness, finishes what it began and takes nothing new`() async throws {
        try await onLoop {
            try await Toy.with { test in
                let host = Host(test.host.config)
                let serving = Serving(test.service, on: host)
                let run = EventLoop.spawn { await serving.run() }
                let client = HTTPClient()
                let ports = try await Self.until { serving.ports }
                let probe = "http://127.0.0.1:\(ports.probes)"
                let api = "http://127.0.0.1:\(ports.requests)/v1/things"

                _ = try await Self.until { try await client.request("GET", probe + "/readyz").status == 200 ? true : nil }
                #expect(try await client.request("GET", probe + "/livez").status == 200)
                #expect(try await client.request("GET", probe + "/startupz").status == 200)
                #expect(try await client.request("GET", probe + "/metrics").status == 200)
                #expect(try await client.request("DELETE", probe + "/readyz").status == 405)

                let token = try test.token(.pharmacist)
                let slow = EventLoop.spawn {
                    try await client.request(
                        "POST", api,
                        headers: [("authorization", "Bearer \(token)"), ("content-type", "application/json")],
                        body: Array(#"{"name":"slow"}"#.utf8))
                }
                _ = try await Self.until { host.requests.inFlight > 0 ? true : nil }
                kill(getpid(), SIGTERM)
                #expect(try await slow.value.status == 201)
                #expect(try await run.value == 0)
                await #expect(throws: HTTPClient.Failure.self) { try await client.request("GET", api) }
            }
        }
    }

    /// The first value of `look` that is not nil, within 10 seconds.
    @LoopActor private static func until<T>(_ look: @LoopActor () async throws -> T?) async throws -> T {
        for _ in 0..<500 {
            if let value = try await look() { return value }
            try await EventLoop.sleep(for: .milliseconds(20))
        }
        throw CancellationError()
    }
}
