import Glibc
import JSON
import Loop
import Primitives
import TestSupport
import Testing

@testable import Bootstrap

@Suite struct LogTests {
    private static func line(_ status: Int) -> RequestLine {
        RequestLine(
            route: RequestLine.prefix(service: "toy", method: "GET", route: "/v1/things/:id"), status: status,
            microseconds: 1_234, traceparent: "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01",
            caller: (TenantID(high: 1, low: 2), AccountID(high: 3, low: 4), "nurse"),
            code: status < 400 ? nil : "not_found")
    }

    @Test func `A request's line is JSON with a fixed list of fields`() async throws {
        let text = try await onLoop {
            let pipe = Pipe()
            let log = Log(service: "toy", level: .info, descriptor: pipe.write)
            log.write(Self.line(404))
            log.flushBeforeExit()
            return pipe.read(limit: 4096)
        }
        guard case .object(let line) = try JSONValue.parse(Array(text.utf8)) else {
            Issue.record("no JSON: \(text)")
            return
        }
        #expect(
            line.members.map(\.name) == [
                "time", "level", "service", "method", "route", "status", "ms", "traceId", "tenant", "account", "role",
                "code",
            ])
        #expect(line["ms"] == .double(1.234))
        #expect(line["traceId"] == "0123456789abcdef0123456789abcdef")
        #expect(try Timestamp(line.required("time", as: String.self)) != nil)
    }

    @Test func `A level below the configured one is not written`() async throws {
        let text = try await onLoop {
            let pipe = Pipe()
            let log = Log(service: "toy", level: .warning, descriptor: pipe.write)
            log.write(Self.line(200))
            log.write(.info, "quiet")
            log.write(Self.line(503))
            log.write(.error, "loud", ("worker", "a \"name\"\n"))
            log.flushBeforeExit()
            return pipe.read(limit: 4096)
        }
        #expect(!text.contains("quiet") && !text.contains(#""status":200"#))
        #expect(text.contains(#""status":503"#) && text.contains(#""worker":"a \"name\"\n""#))
    }

    @Test func `A reader that reads nothing blocks nobody: lines are dropped and counted`() async throws {
        let (dropped, took) = try await onLoop {
            let pipe = Pipe()
            let log = Log(service: "toy", level: .info, descriptor: pipe.write)
            let started = Timestamp.now()
            for _ in 0..<20_000 { log.write(Self.line(200)) }
            return (log.dropped, Timestamp.now().microseconds - started.microseconds)
        }
        #expect(dropped > 10_000)
        #expect(took < 5_000_000)
    }

    /// Both ends of a pipe, closed at the end.
    private final class Pipe {
        let ends: [Int32]
        var write: Int32 { ends[1] }
        init() {
            var both: [Int32] = [0, 0]
            pipe(&both)
            ends = both
        }
        func read(limit: Int) -> String {
            var bytes = [UInt8](repeating: 0, count: limit)
            let count = Glibc.read(ends[0], &bytes, limit)
            return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
        }
        deinit { for end in ends { close(end) } }
    }
}
