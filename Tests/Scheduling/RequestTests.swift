import Access
import Bootstrap
import Contracts
import JSON
import Loop
import Postgres
import Primitives
import TestSupport
import Testing

@testable import Scheduling

/// A doctor who wants to be asked before anybody is booked, with time open ten days from now.
@LoopActor private struct Asked {
    let test: TestHost
    let provider: ProviderID
    let slots: [SlotID]
    let patient: PatientID

    nonisolated static func with(_ body: sending @escaping @LoopActor (Asked) async throws -> Void) async throws {
        try await onLoop {
            try await TestHost.with(SchedulingConfig.init(environment:), SchedulingService.describe) { test in
                let doctor = test.account(.doctor)
                try await test.react(
                    to: AccountCreated(
                        accountID: doctor, roles: ["doctor"], locationID: test.location, zone: "Asia/Kolkata",
                        professionalName: "Dr. Asha Rao", patientID: nil))
                try await test.react(to: LicenceVerified(accountID: doctor, validUntil: date("2199-12-31")))
                let listed = try await test.send("GET", "/v1/providers", as: .reception).items
                let provider = try #require(try listed.first?.required("id", as: ProviderID.self))
                let day = (Zone("Asia/Kolkata") ?? .utc).localDate(of: test.clock.now).adding(days: 10)
                let roster = JSONObject([
                    ("providerId", .string("\(provider)")), ("from", .string("\(day)")), ("to", .string("\(day)")),
                    ("start", .string("09:00")), ("end", .string("11:00")), ("slotMinutes", .int(30)),
                ])
                #expect(try await test.send("POST", "/v1/slots/bulk", body: roster, as: .doctor).status == 201)
                let free = try await test.send("GET", "/v1/slots?providerId=\(provider)&status=free", as: .patient).items
                let patient = PatientID()
                try await test.react(to: PatientRegistered(patientID: patient, locationID: test.location, localDate: day))
                let asked = Asked(test: test, provider: provider, slots: try free.map { try $0.required("id") }, patient: patient)
                let set = try await asked.set(mode: "request", hours: 48)
                #expect(set.status == 200 && set.json["bookingMode"] == "request" && set.json["requestHours"] == .int(48))
                try await body(asked)
            }
        }
    }

    func set(mode: String, hours: Int64) async throws -> TestHost.Answer {
        let path = "/v1/providers/\(provider)"
        let tag = try #require(try await test.send("GET", path, as: .doctor).etag)
        let body = JSONObject([("bookingMode", .string(mode)), ("requestHours", .int(hours))])
        return try await test.send("PATCH", path, body: body, as: .doctor, headers: [("If-Match", tag)])
    }

    func book(_ slot: Int, by role: Role = .patient, _ more: [(name: String, value: JSONValue)] = []) async throws -> TestHost.Answer {
        let body = JSONObject([("slotId", .string("\(slots[slot])")), ("patientId", .string("\(patient)"))] + more)
        let bearer = try test.token(role, patient: role == .patient ? patient : nil)
        return await test.send("POST", "/v1/appointments", bytes: body.jsonBytes, bearer: bearer)
    }

    func decide(_ id: AppointmentID, accepted: Bool, _ reason: String? = nil, as bearer: String? = nil) async throws -> TestHost.Answer {
        var body = JSONObject([("accepted", .bool(accepted))])
        body["reason"] = reason.map { .string($0) }
        return await test.send(
            "POST", "/v1/appointments/\(id)/decision", bytes: body.jsonBytes, bearer: try bearer ?? test.token(.doctor))
    }

    func status(of slot: Int) async throws -> JSONValue? {
        try await test.send("GET", "/v1/slots/\(slots[slot])", as: .reception).json["status"]
    }

    func facts() async throws -> [String] {
        try await test.announced().map(\.type).filter { $0.hasPrefix("scheduling.appointment") }
    }
}

@Suite struct RequestTests {
    @Test func `What a patient asks for holds the time and is booked once the doctor accepts; the desk books at once`() async throws {
        try await Asked.with { asked in
            let made = try await asked.book(0, [("reason", .string("chest pain"))])
            #expect(made.status == 201 && made.json["status"] == "requested")
            let id: AppointmentID = try made.json.required("id")
            #expect(try made.json.required("answerBy", as: Timestamp.self) == asked.test.clock.now.adding(seconds: 48 * 3_600))
            #expect(try await asked.facts() == ["scheduling.appointment.requested.v1"])
            #expect(try await asked.status(of: 0) == "booked")
            let second = try await asked.test.send("POST", "/v1/appointments", body: JSONObject([
                ("slotId", .string("\(asked.slots[0])")), ("patientId", .string("\(asked.patient)")),
            ]), as: .reception)
            #expect(second.code == "slot_taken")
            let waiting = try await asked.test.send("GET", "/v1/appointments?status=requested", as: .doctor).items
            #expect(waiting.count == 1 && waiting.first?["reason"] == "chest pain")

            let stranger = try asked.test.token(.doctor, account: AccountID())
            #expect(try await asked.decide(id, accepted: true, as: stranger).status == 403)
            #expect(try await asked.decide(id, accepted: true, as: try asked.test.token(.patient, patient: asked.patient)).status == 403)
            let accepted = try await asked.decide(id, accepted: true)
            #expect(accepted.status == 200 && accepted.json["status"] == "booked" && accepted.json["answerBy"] == nil)
            #expect(try await asked.facts() == ["scheduling.appointment.requested.v1", "scheduling.appointment.booked.v1"])
            #expect(try await asked.decide(id, accepted: false, "Too late").code == "not_requested")

            #expect(try await asked.book(1, by: .reception).json["status"] == "booked")
            #expect(try await asked.set(mode: "direct", hours: 48).status == 200)
            #expect(try await asked.book(2).json["status"] == "booked")
        }
    }

    @Test func `Who is declined is told why, and the time is free again`() async throws {
        try await Asked.with { asked in
            let id: AppointmentID = try await asked.book(0).json.required("id")
            #expect(try await asked.decide(id, accepted: false).pointers == ["/reason"])
            #expect(try await asked.decide(id, accepted: false, "I am away").json["status"] == "declined")
            #expect(try await asked.status(of: 0) == "free")
            let own = try asked.test.token(.patient, patient: asked.patient)
            let shown = await asked.test.send("GET", "/v1/appointments/\(id)", bytes: [], bearer: own)
            #expect(shown.json["cancelReason"] == "I am away")
            #expect(try await asked.facts().last == "scheduling.appointment.request_ended.v1")
            #expect(try await asked.test.announced().last?.data["outcome"] == "declined")
            #expect(try await asked.book(0).status == 201)  // For anybody, the same patient too.
        }
    }

    @Test func `A request that nobody answers ends by itself, and never lasts beyond the start`() async throws {
        try await Asked.with { asked in
            let id: AppointmentID = try await asked.book(0).json.required("id")
            asked.test.clock.advance(seconds: 48 * 3_600 - 1)
            try await RequestExpiry(host: asked.test.host).sweep()
            #expect(try await asked.status(of: 0) == "booked")
            asked.test.clock.advance(seconds: 1)
            #expect(try await asked.decide(id, accepted: true).code == "request_expired")  // Before the sweeper came.
            for _ in 0..<2 { try await RequestExpiry(host: asked.test.host).sweep() }
            #expect(try await asked.status(of: 0) == "free")
            #expect(try await asked.facts() == ["scheduling.appointment.requested.v1", "scheduling.appointment.request_ended.v1"])
            #expect(try await asked.test.announced().last?.data["outcome"] == "expired")

            #expect(try await asked.set(mode: "request", hours: 168).status == 200)
            asked.test.clock.advance(seconds: 4 * 86_400)
            let late = try await asked.book(1)
            #expect(late.json["answerBy"] != nil && late.json["answerBy"] == late.json["start"])
        }
    }

    @Test func `A request is no booking: it is withdrawn, not moved, and nobody arrives or is seen for it`() async throws {
        try await Asked.with { asked in
            let made = try await asked.book(0)
            let id: AppointmentID = try made.json.required("id")
            let path = "/v1/appointments/\(id)"
            let own = try asked.test.token(.patient, patient: asked.patient)
            let move = JSONObject([("slotId", .string("\(asked.slots[1])"))])
            let moved = await asked.test.send("PATCH", path, bytes: move.jsonBytes, bearer: own, headers: [("If-Match", made.etag ?? "")])
            #expect(moved.code == "not_reschedulable")
            try await asked.test.react(
                to: TokenIssued(
                    tokenID: TokenID(), number: "A-001", patientID: asked.patient, providerID: asked.provider,
                    locationID: asked.test.location, appointmentID: id, localDate: date("2026-11-20"), priority: "routine",
                    issuedAt: asked.test.clock.now))
            try await asked.test.react(
                to: VisitCompleted(
                    visitID: VisitID(), patientID: asked.patient, practitionerID: asked.test.account(.doctor), tokenID: nil,
                    appointmentID: id, locationID: asked.test.location, localDate: date("2026-11-20"),
                    completedAt: asked.test.clock.now))
            #expect(try await asked.test.send("GET", path, as: .reception).json["status"] == "requested")
            #expect(await asked.test.send("DELETE", path, bytes: [], bearer: own).json["status"] == "cancelled")
            #expect(try await asked.facts() == ["scheduling.appointment.requested.v1", "scheduling.appointment.request_ended.v1"])
            #expect(try await asked.status(of: 0) == "free")
        }
    }

    @Test func `A doctor whose licence is over accepts nobody`() async throws {
        try await Asked.with { asked in
            let id: AppointmentID = try await asked.book(0).json.required("id")
            try await asked.test.react(to: LicenceWithdrawn(accountID: asked.test.account(.doctor)), revision: 2)
            #expect(try await asked.decide(id, accepted: true).code == "provider_unlicensed")
            #expect(try await asked.decide(id, accepted: false, "I left").status == 200)
        }
    }

    @Test func `A doctor cancels the own appointments, and says why`() async throws {
        try await Asked.with { asked in
            let id: AppointmentID = try await asked.book(0, by: .reception).json.required("id")
            let path = "/v1/appointments/\(id)"
            let reason = JSONObject([("reason", .string("Called to theatre"))])
            let stranger = try asked.test.token(.doctor, account: AccountID())
            #expect(await asked.test.send("DELETE", path, bytes: reason.jsonBytes, bearer: stranger).status == 403)
            #expect(try await asked.test.send("DELETE", path, as: .doctor).pointers == ["/reason"])
            let cancelled = try await asked.test.send("DELETE", path, body: reason, as: .doctor)
            #expect(cancelled.json["status"] == "cancelled" && cancelled.json["cancelReason"] == "Called to theatre")
            #expect(try await asked.test.announced().last?.data["cancelledBy"] == "doctor")
            #expect(try await asked.status(of: 0) == "free")
        }
    }
}
