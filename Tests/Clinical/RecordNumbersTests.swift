import Bootstrap
import JSON
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

    @Test func `Numbers go to whoever came first, however many come meanwhile`() async throws {
        try await withClinical { host in
            let numbers = RecordNumbers(host: host.host)
            var given: [Int64] = []
            var tasks: [LoopTask<Void>] = []
            // In three crowds: the later ones come while the numbers of the first are on their way.
            for _ in 0..<3 {
                tasks += (0..<50).map { _ in EventLoop.spawn { given.append(try await numbers.next(of: host.tenant).number) } }
                _ = try await host.host.db.systemReader.all("select 1", as: { try $0.next(as: Int.self) })
            }
            for task in tasks { try await task.value }
            #expect(given == Array(1...150))
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

    @Test func `Numbers that the database gave to somebody else after a failover are not insisted on`() async throws {
        try await withClinical { host in
            func mrn(_ name: String) async throws -> JSONValue? {
                let answer = try await host.registered(name, phone: "9820012345").answer
                #expect(answer.status == 201)
                return answer.json["mrn"]
            }
            #expect(try await mrn("Asha First") == .string("MRN-000001"))
            // Another process has spent the rest of the same block, which the counter had forgotten.
            for number in 2...20 { _ = try await mrn("Other \(number)") }
            try await host.database.asOwner(
                """
                alter table patient no force row level security;
                update patient set mrn = mrn + 19 where mrn > 1;
                alter table patient force row level security
                """)
            #expect(try await mrn("Meera Next") == .string("MRN-000041"))
        }
    }
}
