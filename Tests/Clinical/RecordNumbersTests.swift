import Bootstrap
import Loop
import Postgres
import Primitives
import TestSupport
import Testing

@testable import Clinical

@Suite struct RecordNumbersTests {
    @Test func `Two processes that number at once never give one number twice, and leave no block half spent`() async throws {
        try await withClinical { host in
            let processes = [RecordNumbers(host: host.host), RecordNumbers(host: host.host)]
            let tasks = (0..<120).map { turn in
                EventLoop.spawn { try await processes[turn % 2].next(of: host.tenant) }
            }
            var given: [Int64] = []
            for task in tasks { given.append(try await task.value.number) }
            // 60 each are three whole blocks each.
            #expect(given.sorted() == Array(1...120))
        }
    }

    @Test func `A number is had while another transaction holds one`() async throws {
        try await withClinical { host in
            let numbers = RecordNumbers(host: host.host)
            let first = try await numbers.next(of: host.tenant)
            let second = try await host.host.db.transaction(for: host.tenant) { tx in
                // As an import does: this transaction holds the counter's row.
                _ = try await RecordNumberStore(sql: tx).raise(by: 1)
                return try await numbers.next(of: host.tenant)
            }
            let stranger = try await numbers.next(of: TenantID())
            #expect([first.number, second.number, stranger.number] == [1, 2, 1])
        }
    }
}
