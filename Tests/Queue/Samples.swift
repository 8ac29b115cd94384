import Access
import Loop
import Postgres
import Primitives
import TestSupport

@testable import Queue

func time(_ text: String) -> Timestamp { Timestamp(text) ?? Timestamp(microseconds: 0) }
func date(_ text: String) -> LocalDate { LocalDate(text) ?? LocalDate(daysSinceEpoch: 0) }

extension Token {
    static func sample(
        status: Status = .waiting, sequence: Int = 1, provider: ProviderID = ProviderID(),
        priority: Priority = .routine, appointment: AppointmentID? = nil, issued: String = "2026-11-20T09:00:00Z", called: String? = nil,
        completed: String? = nil, waited: Int? = nil
    ) -> Token {
        Token(
            id: TokenID(), sequence: sequence, patient: PatientID(), provider: provider, location: LocationID(),
            appointment: appointment, localDate: date("2026-11-20"), priority: priority,
            place: Place(urgency: priority.urgency, lane: 1, due: time(issued), sequence: sequence),
            issuedAt: time(issued), status: status, calledAt: called.map(time), completedAt: completed.map(time),
            waitedSeconds: waited, version: 1)
    }
}

/// One site on one day, with three practitioners.
@LoopActor struct WaitingRoom {
    let test: TestDatabase
    let location = LocationID()
    let day = date("2026-11-20")
    let opened = time("2026-11-20T08:00:00Z")
    let providers = (0..<3).map { _ in ProviderID() }

    nonisolated static func with(_ body: sending @escaping @LoopActor (WaitingRoom) async throws -> Void) async throws {
        try await onLoop {
            try await TestDatabase.with(QueueService.migrations) { test in
                let room = WaitingRoom(test: test)
                try await test.db.transaction(for: test.tenant) { tx in
                    for provider in room.providers {
                        let card = ProviderCard(
                            id: provider, account: AccountID(), location: room.location, zone: "UTC")
                        try await CardStore(sql: tx).remember(card, revision: 1)
                    }
                }
                try await body(room)
            }
        }
    }

    var reader: any SQLSession { test.db.reader(for: test.tenant) }
    var key: Board.Key { Board.Key(tenant: test.tenant, location: location, date: day) }

    /// Issues as the routes do: without a token the transaction rolls back.
    func issue(
        to provider: ProviderID, patient: PatientID = PatientID(), appointment: AppointmentID? = nil,
        priority: Priority = .routine, bookedFor: Timestamp? = nil, at now: Timestamp? = nil
    ) async throws -> (token: Token, position: Int) {
        let now = now ?? opened
        let arrival = TokenStore.Arrival(
            id: TokenID(), patient: patient, provider: provider, location: location, appointment: appointment,
            localDate: day, priority: priority,
            place: Place(priority: priority, bookedFor: bookedFor, arrivedAt: now, graceSeconds: 900), at: now)
        return try await test.db.transaction(for: test.tenant) { tx in
            guard let issued = try await TokenStore(sql: tx, scope: .system(test.tenant)).issue(arrival) else {
                throw appointment == nil ? TokenError.alreadyWaiting : .alreadyCheckedIn
            }
            return issued
        }
    }

    func call(_ provider: ProviderID, at now: Timestamp? = nil) async throws -> Token? {
        let now = now ?? opened
        return try await test.db.transaction(for: test.tenant) { tx in
            try await CardStore(sql: tx).lockProvider(provider)
            let store = TokenStore(sql: tx, scope: .system(test.tenant))
            if let token = try await store.callNext(of: provider, on: day, at: now) { return token }
            guard try await !store.isServing(provider, on: day) else { throw TokenError.alreadyServing }
            return nil
        }
    }

    func change(_ id: TokenID, to status: Token.Status) async throws {
        try await test.db.transaction(for: test.tenant) { tx in
            let store = TokenStore(sql: tx, scope: .system(test.tenant))
            guard var token = try await store.findForUpdate(id) else { return }
            _ = try token.change(to: status, at: opened)
            try await store.update(token)
        }
    }
}

/// Every body at once, each in a task of its own.
@LoopActor func atOnce<T: Sendable>(
    _ count: Int, _ body: @escaping @LoopActor (Int) async throws -> T
) async -> [Result<T, any Error>] {
    let tasks = (0..<count).map { index in EventLoop.spawn { try await body(index) } }
    var results: [Result<T, any Error>] = []
    for task in tasks { results.append(await task.result) }
    return results
}
