import JSON
import Loop
import Postgres
import Primitives
import TestSupport
import Testing

@testable import Queue

@Suite struct BoardTests {
    private func board(_ tokens: [Token]) -> Board {
        Board(version: 7, entries: tokens.map { Board.Entry(token: $0, room: "2") })
    }

    @Test func `The wait is what is left of the current visit and those ahead, as long as visits took today`() {
        let provider = ProviderID()
        let board = board([
            .sample(
                status: .completed, sequence: 1, provider: provider, called: "2026-11-20T09:00:00Z",
                completed: "2026-11-20T09:20:00Z"),
            .sample(status: .withDoctor, sequence: 2, provider: provider, called: "2026-11-20T09:20:00Z"),
            .sample(sequence: 3, provider: provider), .sample(sequence: 4, provider: provider),
        ])
        let waiting = board.waiting(at: time("2026-11-20T09:35:00Z"))
        #expect(waiting.map(\.position) == [1, 2])
        #expect(waiting.map(\.minutes) == [5, 25])
    }

    @Test func `Positions and waits are each practitioner's own`() {
        let waiting = board([.sample(sequence: 1), .sample(sequence: 2)]).waiting(at: time("2026-11-20T09:35:00Z"))
        #expect(waiting.map(\.position) == [1, 1])
        #expect(waiting.map(\.minutes) == [0, 0])
    }

    @Test func `The figures count everybody and the waits of those called`() {
        let tokens = (1...10).map { Token.sample(status: .completed, sequence: $0, waited: $0 * 60) }
        let summary = board(tokens + [.sample(sequence: 11), .sample(status: .left, sequence: 12)]).summary
        #expect(summary.counts[.completed] == 10)
        #expect(summary.counts[.waiting] == 1)
        #expect(summary.meanWaitSeconds == 330)
        #expect(summary.p90WaitSeconds == 540)
        #expect(board([]).summary == Board.Summary())
    }

    @Test func `A copy reads back as it was written`() {
        let board = board([
            .sample(status: .completed, called: "2026-11-20T09:00:00Z", completed: "2026-11-20T09:20:00.5Z", waited: 9),
            .sample(sequence: 2, priority: .urgent, appointment: AppointmentID()),
        ])
        #expect(BoardCopy.read(BoardCopy.write(board), version: 7) == board)
        let away = Board.Entry(token: .sample(), room: nil, presence: .break, until: time("2026-11-20T09:30:00Z"))
        let shown = Board(version: 8, entries: board.entries + [away])
        #expect(BoardCopy.read(BoardCopy.write(shown), version: 8) == shown)
    }

    @Test func `Whose break is over is there, and the screen is written anew at that moment`() {
        let end = time("2026-11-20T09:30:00Z")
        let board = Board(version: 7, entries: [Board.Entry(token: .sample(), room: nil, presence: .break, until: end)])
        #expect(board.looksTheSameUntil(after: end.adding(seconds: -1)) == end)
        #expect(board.entries[0].presence(at: end.adding(seconds: -1)) == .break)
        #expect(board.entries[0].presence(at: end) == .online)
        #expect(board.looksTheSameUntil(after: end) == nil)
    }

    @Test func `What is no copy is not read`() {
        for text in ["", "{}", "[[]]", "[1]", "[[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20]]"] {
            #expect(BoardCopy.read(Array(text.utf8), version: 1) == nil)
        }
        #expect(BoardCopy.read(Array("[]".utf8), version: 1)?.entries.isEmpty == true)
    }

    @Test func `A screen shows no identifier`() throws {
        let token = Token.sample(status: .withDoctor)
        let key = Board.Key(tenant: TenantID(), location: LocationID(), date: date("2026-11-20"))
        let text = String(decoding: DisplayView(key: key, board: board([token]), now: time("2026-11-20T09:35:00Z")).jsonBytes, as: UTF8.self)
        #expect(text.contains("A-001"))
        #expect(!text.contains(token.patient.description))
        #expect(!text.contains(token.id.description))
    }

    @Test func `Every change moves the board's version by one`() async throws {
        try await WaitingRoom.with { room in
            let store = BoardStore(sql: room.reader)
            let before = try await store.version(of: room.key)
            #expect(before == nil)
            let token = try await room.issue(to: room.providers[0]).token
            let other = try await room.issue(to: room.providers[1]).token
            let after = try await store.version(of: room.key)
            #expect(after == 2)
            _ = try await room.call(room.providers[0])
            try await room.change(token.id, to: .completed)
            let board = try await store.load(room.key)
            #expect(board.version == 4)
            #expect(board.entries.map(\.token.id) == [token.id, other.id])
            #expect(board.entries(.completed).map(\.token.id) == [token.id])
        }
    }

    @Test(.timeLimit(.minutes(1))) func `Whoever looks no more is let go at once, and not when the next look is due`() async throws {
        try await onLoop {
            let watch = BoardSignals().watch(
                Board.Key(tenant: TenantID(), location: LocationID(), date: LocalDate(daysSinceEpoch: 20_000)))
            let looking = EventLoop.spawn { await watch.wait(atMost: .seconds(3600)) }
            try await EventLoop.spawn {}.value  // behind it in line: by now it waits
            looking.cancel()
            try await looking.value
            // Nor does anybody begin to wait who has gone already.
            let late = EventLoop.spawn { await watch.wait(atMost: .seconds(3600)) }
            late.cancel()
            try await late.value
        }
    }
}
