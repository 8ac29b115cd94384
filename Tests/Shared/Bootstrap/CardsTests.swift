import Access
import HTTP
import JSON
import Loop
import Primitives
import TestSupport
import Testing

@testable import Bootstrap

@Suite struct CardsTests {
    @Test func `The owner is asked in the caller's name, and 404 means there is no such thing`() async throws {
        try await onLoop {
            try await Toy.with { host in
                let id = PatientID()
                let unknown = try await host.send("GET", "/v1/cards/\(id)", as: .reception)
                #expect((unknown.status, unknown.code) == (422, "patient_unknown"))
                host.cards["clinical", "/internal/cards/patients/\(id)"] = [
                    "patientId": .string(id.description), "active": true,
                ]
                let known = try await host.send("GET", "/v1/cards/\(id)", as: .reception)
                #expect(known.json["active"] == true)
                #expect(host.cards.asked.count == 2)
            }
        }
    }

    @Test func `An owner that is down is 503, and after five failures it is left alone for a while`() async throws {
        try await onLoop {
            try await Toy.with { host in
                host.cards.isDown = true
                let id = PatientID()
                for _ in 0..<8 {
                    let answer = try await host.send("GET", "/v1/cards/\(id)", as: .reception)
                    #expect((answer.status, answer.code) == (503, "unavailable"))
                    #expect(answer.header("Retry-After") == "2")
                }
                #expect(host.cards.asked.count == 5)
            }
        }
    }

    @Test func `The breaker lets one through after its pause, and all after a success`() {
        var breaker = Breaker()
        let second = 1_000_000_000
        func asks(at time: Int) -> Bool { breaker.allows(at: time) }
        for _ in 0..<5 {
            #expect(asks(at: 0))
            breaker.failed(at: 0)
        }
        #expect(!asks(at: second))
        #expect(asks(at: 2 * second))
        #expect(!asks(at: 2 * second))
        breaker.succeeded()
        #expect(asks(at: 2 * second))
        #expect(asks(at: 2 * second))
    }
}
