import Contracts
import Primitives
import Testing

@testable import Scheduling

@Suite struct AppointmentTests {
    private let noon = time("2026-11-20T07:00:00Z")

    @Test func `A booked appointment can be cancelled, and says who did`() throws {
        var appointment = Appointment.sample()
        let fact = try appointment.cancel(because: SealedText(Array("cold".utf8)), by: "patient")
        #expect(appointment.status == .cancelled)
        #expect(appointment.version == 2)
        #expect((fact as? AppointmentCancelled)?.cancelledBy == "patient")
    }

    @Test(arguments: [Appointment.Status.arrived, .fulfilled, .cancelled, .noshow])
    func `What is no longer only booked cannot be cancelled or moved`(status: Appointment.Status) {
        var appointment = Appointment.sample(status)
        #expect(throws: AppointmentError.notCancellable(status)) {
            _ = try appointment.cancel(because: nil, by: "reception")
        }
        #expect(throws: AppointmentError.notReschedulable(status)) {
            _ = try appointment.move(to: .sample(), at: noon)
        }
        #expect(appointment.version == 1)
    }

    @Test func `A move keeps the patient and remembers the old time`() throws {
        var appointment = Appointment.sample()
        let slot = Slot.sample(start: "2026-11-20T11:00:00Z")
        let fact = try appointment.move(to: slot, at: noon)
        #expect(appointment.start == slot.start)
        #expect(appointment.slot == slot.id)
        #expect(fact.previousStart == time("2026-11-20T09:00:00Z"))
    }

    @Test func `A slot is refused for the reason that a patient can act on`() {
        #expect(Slot.sample(.free).refusal(at: noon) == nil)
        #expect(Slot.sample(.booked).refusal(at: noon) == .slotTaken)
        #expect(Slot.sample(.blocked).refusal(at: noon) == .slotBlocked)
        #expect(Slot.sample(.free).refusal(at: time("2026-11-20T09:00:00Z")) == .slotInPast)
        #expect(Slot.sample(.blocked).refusal(at: time("2026-11-20T09:01:00Z")) == .slotInPast)
    }

    @Test func `Somebody who was written off may still arrive, once`() {
        var appointment = Appointment.sample(.noshow)
        let token = TokenID()
        #expect(appointment.arrive(with: token)?.tokenID == token)
        #expect(appointment.arrive(with: token) == nil)
    }

    @Test func `A visit fulfils an appointment once, whichever event comes first`() {
        let visit = VisitID()
        var byToken = Appointment.sample(.arrived)
        #expect(byToken.fulfil(by: nil) == .unnamed)
        #expect(byToken.fulfil(by: nil) == .alreadySo)
        guard case .announced(let fact) = byToken.fulfil(by: visit) else {
            Issue.record("the visit was not announced")
            return
        }
        #expect(fact.visitID == visit)
        #expect(byToken.fulfil(by: visit) == .alreadySo)
        var cancelled = Appointment.sample(.cancelled)
        #expect(cancelled.fulfil(by: visit) == .alreadySo)
    }

    @Test func `A booked slot cannot be blocked, and blocking twice changes nothing`() throws {
        var booked = Slot.sample(.booked)
        #expect(throws: SlotError.booked) { _ = try booked.block(because: nil) }
        var free = Slot.sample()
        #expect(try free.block(because: "leave"))
        #expect(try !free.block(because: "leave"))
        #expect(try free.unblock())
        #expect(free.version == 3)
    }
}
