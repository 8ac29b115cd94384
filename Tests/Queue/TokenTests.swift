import Contracts
import Primitives
import Testing

@testable import Queue

@Suite struct TokenTests {
    private let now = time("2026-11-20T09:30:00Z")

    @Test(arguments: [
        (1, "A-001"), (42, "A-042"), (999, "A-999"), (1000, "B-001"), (25_974, "Z-999"), (25_975, "AA-001"),
        (0, "A-001"),
    ])
    func `Numbers count through the letters`(sequence: Int, number: String) {
        #expect(Token.number(sequence) == number)
    }

    @Test func `Only the ways that the diagram draws can be gone`() {
        let drawn: Set<[Token.Status]> = [
            [.waiting, .withDoctor], [.waiting, .skipped], [.waiting, .left], [.withDoctor, .completed],
            [.withDoctor, .skipped], [.withDoctor, .waiting], [.skipped, .waiting], [.skipped, .left],
        ]
        for from in Token.Status.allCases {
            for to in Token.Status.allCases {
                var token = Token.sample(status: from)
                if from == to {
                    #expect((try? token.change(to: to, at: now)) == nil)
                    #expect(token.version == 1)
                } else if drawn.contains([from, to]) {
                    #expect((try? token.change(to: to, at: now)) != nil)
                    #expect(token.status == to)
                    #expect(token.version == 2)
                } else {
                    #expect(throws: TokenError.transitionRefused(from: from, to: to)) {
                        _ = try token.change(to: to, at: now)
                    }
                    #expect(token.status == from)
                }
            }
        }
    }

    @Test func `The wait is that until the first call`() throws {
        var token = Token.sample(issued: "2026-11-20T09:00:00Z")
        _ = try token.change(to: .withDoctor, at: now)
        #expect(token.waitedSeconds == 1800)
        _ = try token.change(to: .waiting, at: now.adding(seconds: 60))
        let fact = try token.change(to: .withDoctor, at: now.adding(seconds: 600)) as? TokenCalled
        #expect(fact?.waitedSeconds == 2400)
        #expect(token.waitedSeconds == 1800)
    }

    @Test func `A patient who is returned keeps the place`() throws {
        var token = Token.sample()
        let place = token.place
        _ = try token.change(to: .withDoctor, at: now)
        _ = try token.change(to: .waiting, at: now)
        #expect(token.place == place)
    }

    @Test func `A signed visit ends a token that nobody called, once`() {
        var token = Token.sample()
        #expect(token.finish(at: now) != nil)
        #expect(token.finish(at: now) == nil)
        var left = Token.sample(status: .left)
        #expect(left.finish(at: now) == nil)
    }
}

@Suite struct PlaceTests {
    private func place(_ priority: Priority, bookedFor: String?, at: String, sequence: Int = 0) -> Place {
        let place = Place(
            priority: priority, bookedFor: bookedFor.map(time), arrivedAt: time(at), graceSeconds: 900)
        return Place(urgency: place.urgency, lane: place.lane, due: place.due, sequence: sequence)
    }

    @Test func `The order is urgency, then promises kept, then time`() {
        let places = [
            place(.emergency, bookedFor: nil, at: "2026-11-20T11:00:00Z"),
            place(.urgent, bookedFor: "2026-11-20T12:00:00Z", at: "2026-11-20T11:00:00Z"),
            place(.urgent, bookedFor: nil, at: "2026-11-20T09:00:00Z"),
            place(.routine, bookedFor: "2026-11-20T10:00:00Z", at: "2026-11-20T10:15:00Z"),
            place(.routine, bookedFor: "2026-11-20T10:15:00Z", at: "2026-11-20T09:00:00Z"),
            place(.routine, bookedFor: nil, at: "2026-11-20T08:00:00Z"),
            place(.routine, bookedFor: "2026-11-20T08:00:00Z", at: "2026-11-20T08:15:01Z"),
        ]
        #expect(places.shuffled().sorted() == places)
    }

    @Test func `Who comes at the last moment of grace is on time`() {
        #expect(place(.routine, bookedFor: "2026-11-20T10:00:00Z", at: "2026-11-20T10:15:00Z").lane == 0)
        #expect(place(.routine, bookedFor: "2026-11-20T10:00:00Z", at: "2026-11-20T10:15:01Z").lane == 1)
    }

    @Test func `Equals go by number`() {
        let first = place(.routine, bookedFor: nil, at: "2026-11-20T08:00:00Z", sequence: 1)
        let second = place(.routine, bookedFor: nil, at: "2026-11-20T08:00:00Z", sequence: 2)
        #expect(first < second)
    }
}

@Suite struct AppointmentCardTests {
    @Test(arguments: [
        ("booked", "2026-11-20", TokenError?.none), ("noshow", "2026-11-20", nil), ("arrived", "2026-11-20", nil),
        ("booked", "2026-11-21", .notToday), ("cancelled", "2026-11-20", .appointmentCancelled),
        ("fulfilled", "2026-11-20", .appointmentFulfilled),
    ])
    func `An appointment says why nobody can be checked in for it`(
        status: String, today: String, refusal: TokenError?
    ) {
        let card = AppointmentCard(
            id: AppointmentID(), patient: PatientID(), provider: ProviderID(), location: LocationID(),
            start: time("2026-11-20T09:00:00Z"), localDate: date("2026-11-20"), status: status, priority: .routine,
            revision: 1)
        #expect(card.refusal(on: date(today)) == refusal)
    }
}
