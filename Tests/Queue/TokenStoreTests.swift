import Access
import Loop
import Postgres
import Primitives
import TestSupport
import Testing

@testable import Queue

@Suite struct TokenStoreTests {
    @Test func `Numbers have no gaps, however many come at once and however many are refused`() async throws {
        try await WaitingRoom.with { room in
            let patients = (0..<30).map { _ in PatientID() }
            // Everybody clicks twice.
            let results = await atOnce(60) { index in
                try await room.issue(to: room.providers[index % 3], patient: patients[index % 30]).token.sequence
            }
            let numbers = results.compactMap { try? $0.get() }
            #expect(numbers.sorted() == Array(1...30))
            for case .failure(let error) in results { #expect(error as? TokenError == .alreadyWaiting) }
        }
    }

    @Test func `Twenty check-ins of one appointment are one token`() async throws {
        try await WaitingRoom.with { room in
            let appointment = AppointmentID()
            let patient = PatientID()
            let results = await atOnce(20) { _ in
                try await room.issue(to: room.providers[0], patient: patient, appointment: appointment).token
            }
            #expect(results.filter { (try? $0.get()) != nil }.count == 1)
            for case .failure(let error) in results { #expect(error as? TokenError == .alreadyCheckedIn) }
            let next = try await room.issue(to: room.providers[0]).token.number
            #expect(next == "A-002")
        }
    }

    @Test func `A patient who left may check in again`() async throws {
        try await WaitingRoom.with { room in
            let appointment = AppointmentID()
            let first = try await room.issue(to: room.providers[0], appointment: appointment).token
            try await room.change(first.id, to: .left)
            let second = try await room.issue(to: room.providers[0], appointment: appointment).token
            #expect(second.number == "A-002")
        }
    }

    @Test func `Twenty calls by three doctors at once call nobody twice and leave nobody behind`() async throws {
        try await WaitingRoom.with { room in
            for index in 0..<12 { _ = try await room.issue(to: room.providers[index % 3]) }
            var called: [TokenID] = []
            for _ in 0..<5 {
                let results = await atOnce(20) { try await room.call(room.providers[$0 % 3]) }
                let tokens = results.compactMap { try? $0.get() }
                for case .failure(let error) in results { #expect(error as? TokenError == .alreadyServing) }
                #expect(Set(tokens.map(\.provider)).count == tokens.count)
                for token in tokens { try await room.change(token.id, to: .completed) }
                called += tokens.map(\.id)
            }
            #expect(called.count == 12)
            #expect(Set(called).count == 12)
            let nobody = try await room.call(room.providers[0])
            #expect(nobody == nil)
        }
    }

    @Test func `The order in SQL is the order of the rule`() async throws {
        try await WaitingRoom.with { room in
            let provider = room.providers[0]
            var generator = SystemRandomNumberGenerator()
            var issued: [Token] = []
            for _ in 0..<60 {
                let now = room.opened.adding(seconds: Int64.random(in: 0..<7_200, using: &generator))
                let start = room.opened.adding(seconds: Int64.random(in: 0..<8, using: &generator) * 900)
                let isBooked = Bool.random(using: &generator)
                let priority = Priority.allCases.randomElement(using: &generator) ?? .routine
                let (token, position) = try await room.issue(
                    to: provider, appointment: isBooked ? AppointmentID() : nil, priority: priority,
                    bookedFor: isBooked ? start : nil, at: now)
                #expect(position == issued.filter { $0.place < token.place }.count + 1)
                issued.append(token)
            }
            for expected in issued.sorted(by: { $0.place < $1.place }) {
                let called = try #require(try await room.call(provider))
                #expect(called.id == expected.id)
                try await room.change(called.id, to: .completed)
            }
        }
    }

    @Test func `A doctor who has a patient cannot take a second by another door`() async throws {
        try await WaitingRoom.with { room in
            _ = try await room.issue(to: room.providers[0])
            let second = try await room.issue(to: room.providers[0]).token
            _ = try await room.call(room.providers[0])
            await #expect(throws: TokenError.alreadyServing) { try await room.change(second.id, to: .withDoctor) }
            await #expect(throws: TokenError.alreadyServing) { _ = try await room.call(room.providers[0]) }
        }
    }

    @Test func `Another tenant's token does not exist`() async throws {
        try await WaitingRoom.with { room in
            let token = try await room.issue(to: room.providers[0]).token
            let found = try await TokenStore(sql: room.test.db.reader(for: TenantID()), scope: .system(room.test.tenant)).find(token.id)
            #expect(found == nil)
        }
    }
}

@Suite struct CardStoreTests {
    @Test func `A cancellation that overtakes the booking stays the last word`() async throws {
        try await WaitingRoom.with { room in
            func card(
                _ status: String, _ location: LocationID?, _ revision: Int, _ id: AppointmentID
            ) -> AppointmentCard {
                AppointmentCard(
                    id: id, patient: PatientID(), provider: room.providers[0], location: location,
                    start: room.opened, localDate: room.day, status: status, priority: .routine, revision: revision)
            }
            let id = AppointmentID()
            try await room.test.db.transaction(for: room.test.tenant) { tx in
                try await CardStore(sql: tx).remember([card("cancelled", nil, 2, id)])
                try await CardStore(sql: tx).remember([card("booked", room.location, 1, id)])
            }
            let status = try await CardStore(sql: room.reader).appointment(id)?.status
            #expect(status == "cancelled")
        }
    }
}
