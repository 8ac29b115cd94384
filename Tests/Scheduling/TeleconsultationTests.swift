import Access
import Bootstrap
import JSON
import Loop
import Primitives
import TestSupport
import Testing

@testable import Scheduling

/// An appointment by video, and the consent to it.
@Suite struct TeleconsultationTests {
    @Test func `A video appointment is booked for who agreed to that, as clinical knows it at that moment`() async throws {
        try await onScheduling { desk in
            let patient = try await desk.patient()
            func book(_ place: Int, _ modality: String) async throws -> TestHost.Answer {
                try await desk.test.send(
                    "POST", "/v1/appointments",
                    body: JSONObject([
                        ("slotId", .string("\(desk.slots[place])")), ("patientId", .string("\(patient)")), ("modality", .string(modality)),
                    ]), as: .reception)
            }
            @LoopActor func clinicalSays(_ consents: [String]?) {
                var card = JSONObject([("patientId", .string("\(patient)")), ("active", .bool(true))])
                if let consents { card["consents"] = .array(consents.map { .string($0) }) }
                desk.test.cards["clinical", "/internal/cards/patients/\(patient)"] = card
            }
            // Nothing said, another purpose, or a clinical that does not say yet: no.
            for consents in [[], ["sharing"], nil] {
                clinicalSays(consents)
                let refused = try await book(0, "telemedicine")
                #expect((refused.status, refused.code) == (422, "consent_missing"))
            }
            // In person nobody is asked.
            let asked = desk.test.cards.asked.count
            #expect(try await book(0, "in_person").status == 201)
            #expect(desk.test.cards.asked.count == asked)
            clinicalSays(["teleconsultation"])
            #expect(try await book(1, "telemedicine").status == 201)
            // Taken back: the next one is refused at once.
            clinicalSays([])
            #expect(try await book(2, "telemedicine").status == 422)
            desk.test.cards.isDown = true
            #expect(try await book(2, "telemedicine").status == 503)
        }
    }
}
