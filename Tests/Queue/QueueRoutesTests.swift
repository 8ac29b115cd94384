import Access
import Bootstrap
import Contracts
import JSON
import Loop
import Postgres
import Primitives
import TestSupport
import Testing

@testable import Queue

/// Queue as it runs, with one doctor known and patients that nobody has asked about yet.
private func onQueue(_ body: sending @escaping @LoopActor (Desk) async throws -> Void) async throws {
    try await onLoop {
        try await TestHost.with(QueueConfig.init(environment:), QueueService.describe) { test in
            let desk = Desk(test: test)
            try await test.react(
                to: ProviderListed(
                    providerID: desk.provider, accountID: test.account(.doctor), locationID: test.location,
                    zone: "Asia/Kolkata"))
            try await test.react(to: LicenceVerified(accountID: test.account(.doctor), validUntil: LocalDate(daysSinceEpoch: 80_000)))
            try await body(desk)
        }
    }
}

@LoopActor private struct Desk {
    let test: TestHost
    let provider = ProviderID()

    func noon() throws -> Timestamp { try #require(Timestamp("\(today)T12:00:00+05:30")) }

    var today: LocalDate { (Zone("Asia/Kolkata") ?? .utc).localDate(of: test.clock.now) }

    func patient() async throws -> PatientID {
        let id = PatientID()
        try await test.react(to: PatientRegistered(patientID: id, locationID: test.location, localDate: today))
        return id
    }

    func booked(inMinutes minutes: Int64 = 30, on day: LocalDate? = nil) async throws -> AppointmentID {
        let id = AppointmentID()
        let start = test.clock.now.adding(seconds: minutes * 60)
        try await test.react(
            to: AppointmentBooked(
                appointmentID: id, patientID: PatientID(), providerID: provider, locationID: test.location,
                slotID: SlotID(), start: start, end: start.adding(seconds: 900), localDate: day ?? today,
                modality: "in_person", priority: "routine"))
        return id
    }

    func checkIn(_ appointment: AppointmentID) async throws -> TestHost.Answer {
        try await test.send(
            "POST", "/v1/queue/check-in", body: JSONObject([("appointmentId", .string("\(appointment)"))]),
            as: .reception)
    }

    func walkIn(_ patient: PatientID, priority: String = "routine", force: Bool? = nil) async throws -> TestHost.Answer {
        var body = JSONObject([
            ("patientId", .string("\(patient)")), ("providerId", .string("\(provider)")),
            ("priority", .string(priority)),
        ])
        body["force"] = force.map { .bool($0) }
        return try await test.send("POST", "/v1/queue/walk-in", body: body, as: .reception)
    }

    func say(_ status: String, until: Timestamp? = nil) async throws {
        var body = JSONObject([("status", .string(status))])
        body["until"] = until.map { .string("\($0)") }
        let said = try await test.send("PUT", "/v1/providers/\(provider)/presence", body: body, as: .doctor)
        #expect(said.status == 200)
    }

    func shown() async throws -> [JSONValue?] {
        let board = try await test.send("GET", "/v1/queue/today", as: .nurse)
        let screen = try await test.send("GET", "/v1/queue/display", as: .display)
        return try [board, screen].map { try $0.json.required("waiting", as: [JSONObject].self).first?["presence"] }
    }

    func next() async throws -> TestHost.Answer { try await test.send("POST", "/v1/queue/next", as: .doctor) }

    func change(_ token: TokenID, _ status: String) async throws -> TestHost.Answer {
        try await test.send(
            "PATCH", "/v1/queue/\(token)", body: JSONObject([("status", .string(status))]), as: .reception)
    }
}

extension TestHost.Answer {
    fileprivate var id: TokenID { get throws { try json.required("id") } }
    fileprivate func text(_ name: String) throws -> String { try json.required(name) }
}

@Suite struct QueueRoutesTests {
    @Test func `Who booked and came goes before who walked in, and an emergency before both`() async throws {
        try await onQueue { desk in
            let walkIn = try await desk.walkIn(try await desk.patient())
            let checkIn = try await desk.checkIn(try await desk.booked())
            #expect((walkIn.status, checkIn.status) == (201, 201))
            #expect(try checkIn.json.required("position", as: Int.self) == 1)
            let emergency = try await desk.walkIn(try await desk.patient(), priority: "emergency")
            var order: [TokenID] = []
            for _ in 0..<3 {
                let called = try await desk.next()
                order.append(try called.id)
                let done = try await desk.change(try called.id, "COMPLETED")
                #expect(done.status == 200)
            }
            let expected = [try emergency.id, try checkIn.id, try walkIn.id]
            #expect(order == expected)
            let nobody = try await desk.next()
            #expect((nobody.status, nobody.bytes.count) == (204, 0))
        }
    }

    @Test func `Who walks in while the clock is wrong keeps the place of the moment`() async throws {
        try await onQueue { desk in
            desk.test.clock.now = try desk.noon()  // within one day, whatever the time is here
            var came: [TokenID] = []
            for jump in [0, 300, -600, 3900, -7200, 3600] as [Int64] {
                desk.test.clock.advance(seconds: jump)
                came.append(try await desk.walkIn(try await desk.patient()).id)
            }
            var called: [TokenID] = []
            for _ in came {
                called.append(try await desk.next().id)
                let done = try await desk.change(called[called.count - 1], "COMPLETED")
                #expect(done.status == 200)
            }
            #expect(called == came)
        }
    }

    @Test func `A check-in is refused for the right reason, after scheduling was asked`() async throws {
        try await onQueue { desk in
            let tomorrow = try await desk.booked(on: desk.today.adding(days: 1))
            @LoopActor func card(_ id: AppointmentID, _ status: String, _ day: LocalDate) -> JSONObject {
                JSONObject([
                    ("appointmentId", .string("\(id)")), ("patientId", .string("\(PatientID())")),
                    ("providerId", .string("\(desk.provider)")), ("locationId", .string("\(desk.test.location)")),
                    ("start", .string("\(desk.test.clock.now)")), ("localDate", .string("\(day)")),
                    ("status", .string(status)), ("priority", .string("urgent")), ("version", .int(9)),
                ])
            }
            desk.test.cards["scheduling", "/internal/cards/appointments/\(tomorrow)"] =
                card(tomorrow, "booked", desk.today.adding(days: 1))
            let early = try await desk.checkIn(tomorrow)
            #expect((early.status, early.code) == (422, "not_today"))
            let unheard = AppointmentID()
            desk.test.cards["scheduling", "/internal/cards/appointments/\(unheard)"] =
                card(unheard, "booked", desk.today)
            let learned = try await desk.checkIn(unheard)
            #expect(learned.status == 201)
            #expect(try learned.text("priority") == "urgent")
            let twice = try await desk.checkIn(unheard)
            #expect((twice.status, twice.code) == (409, "already_checked_in"))
            let cancelled = AppointmentID()
            desk.test.cards["scheduling", "/internal/cards/appointments/\(cancelled)"] =
                card(cancelled, "cancelled", desk.today)
            let gone = try await desk.checkIn(cancelled)
            #expect((gone.status, gone.code) == (422, "appointment_cancelled"))
            for (status, code) in [
                ("requested", "appointment_requested"), ("declined", "appointment_cancelled"), ("expired", "appointment_cancelled"),
            ] {
                let id = AppointmentID()
                desk.test.cards["scheduling", "/internal/cards/appointments/\(id)"] = card(id, status, desk.today)
                let refused = try await desk.checkIn(id)
                #expect((refused.status, refused.code) == (422, code))
            }
            let unknown = try await desk.checkIn(AppointmentID())
            #expect((unknown.status, unknown.code) == (422, "appointment_unknown"))
        }
    }

    @Test func `A stale card refuses nobody: the appointment was moved to today`() async throws {
        try await onQueue { desk in
            let id = try await desk.booked(on: desk.today.adding(days: 1))
            desk.test.cards["scheduling", "/internal/cards/appointments/\(id)"] = JSONObject([
                ("appointmentId", .string("\(id)")), ("patientId", .string("\(PatientID())")),
                ("providerId", .string("\(desk.provider)")), ("locationId", .string("\(desk.test.location)")),
                ("start", .string("\(desk.test.clock.now)")), ("localDate", .string("\(desk.today)")),
                ("status", .string("booked")), ("priority", .string("routine")), ("version", .int(2)),
            ])
            let answer = try await desk.checkIn(id)
            #expect(answer.status == 201)
        }
    }

    @Test func `The state diagram is the only way, and the same status again changes nothing`() async throws {
        try await onQueue { desk in
            let token = try await desk.walkIn(try await desk.patient()).id
            let wrong = try await desk.change(token, "COMPLETED")
            #expect((wrong.status, wrong.code) == (409, "transition_refused"))
            let same = try await desk.change(token, "WAITING")
            #expect((same.status, same.etag) == (200, "\"1\""))
            let skipped = try await desk.change(token, "SKIPPED")
            #expect(skipped.etag == "\"2\"")
            let back = try await desk.change(token, "WAITING")
            #expect(back.status == 200)
            let types = try await desk.test.announced().map(\.type)
            #expect(types == ["queue.token.issued.v1", "queue.token.skipped.v1", "queue.token.returned.v1"])
            let absent = try await desk.change(TokenID(), "LEFT")
            #expect(absent.status == 404)
        }
    }

    @Test func `A patient's or proxy's token opens the card of their own place alone`() async throws {
        try await onQueue { desk in
            let (own, other) = (try await desk.patient(), try await desk.patient())
            let mine = try await desk.walkIn(own).id
            let theirs = try await desk.walkIn(other).id
            for role in [Role.patient, .proxy] {
                let bearer = try desk.test.token(role, patient: own)
                let card = await desk.test.send("GET", "/internal/cards/tokens/\(mine)", bytes: [], bearer: bearer)
                #expect(card.status == 200 && card.json["localDate"] == .string("\(desk.today)"))
                #expect(await desk.test.send("GET", "/internal/cards/tokens/\(theirs)", bytes: [], bearer: bearer).status == 404)
            }
            #expect(try await desk.test.send("GET", "/internal/cards/tokens/\(theirs)", as: .doctor).status == 200)
        }
    }

    @Test func `A doctor calls for nobody else and has one patient at a time`() async throws {
        try await onQueue { desk in
            for _ in 0..<2 { _ = try await desk.walkIn(try await desk.patient()) }
            let foreign = try await desk.test.send(
                "POST", "/v1/queue/next", body: JSONObject([("providerId", .string("\(ProviderID())"))]), as: .doctor)
            #expect(foreign.status == 403)
            let first = try await desk.next()
            #expect(first.status == 200)
            let second = try await desk.next()
            #expect((second.status, second.code) == (409, "already_serving"))
            let stranger = try desk.test.token(.doctor, account: AccountID())
            let unlisted = await desk.test.send("POST", "/v1/queue/next", bytes: [], bearer: stranger)
            #expect((unlisted.status, unlisted.code) == (422, "provider_unknown"))
        }
    }

    @Test func `A signed visit completes the token, once`() async throws {
        try await onQueue { desk in
            let patient = try await desk.patient()
            let token = try await desk.walkIn(patient).id
            let completed = VisitCompleted(
                visitID: VisitID(), patientID: patient, practitionerID: desk.test.account(.doctor), tokenID: token,
                appointmentID: nil, locationID: desk.test.location, localDate: desk.today,
                completedAt: desk.test.clock.now)
            for _ in 0..<2 { try await desk.test.react(to: completed) }
            let facts = try await desk.test.announced().filter { $0.type == "queue.token.completed.v1" }
            #expect(facts.count == 1)
        }
    }

    @Test func `Boards answer the same without Redis, and screens show no identifier`() async throws {
        try await onQueue { desk in
            let patient = try await desk.patient()
            let token = try await desk.walkIn(patient)
            let board = try await desk.test.send("GET", "/v1/queue/today?providerId=\(desk.provider)", as: .nurse)
            let waiting: [JSONObject] = try board.json.required("waiting")
            #expect(waiting.count == 1)
            #expect(try waiting[0].required("id", as: TokenID.self) == token.id)
            let screen = try await desk.test.send("GET", "/v1/queue/display", as: .display)
            let shown = String(decoding: screen.bytes, as: UTF8.self)
            #expect(shown.contains("A-001") && !shown.contains("\(patient)"))
            let refused = try await desk.test.send("GET", "/v1/queue/today", as: .display)
            #expect(refused.status == 403)
            let summary = try await desk.test.send("GET", "/v1/queue/today/summary", as: .reception)
            #expect(try summary.json.required("waiting", as: Int.self) == 1)
        }
    }

    @Test func `A room that changes shows on the board at once`() async throws {
        try await onQueue { desk in
            _ = try await desk.walkIn(try await desk.patient())
            _ = try await desk.next()
            for room in ["3", "4"] {
                let set = try await desk.test.send(
                    "PUT", "/v1/providers/\(desk.provider)/presence",
                    body: JSONObject([("status", .string("online")), ("room", .string(room))]), as: .doctor)
                #expect(set.status == 200)
                let screen = try await desk.test.send("GET", "/v1/queue/display", as: .display)
                let serving: [JSONObject] = try screen.json.required("serving")
                #expect(try serving[0].required("room", as: String.self) == room)
            }
        }
    }

    @Test func `Nobody walks in to, is called by or sent in to a doctor without a licence, and who waits keeps the place`() async throws {
        try await onQueue { desk in
            let doctor = desk.test.account(.doctor)
            let token = try await desk.walkIn(try await desk.patient()).id
            let booked = try await desk.booked()
            try await desk.test.react(to: LicenceWithdrawn(accountID: doctor), revision: 2)

            let walkIn = try await desk.walkIn(try await desk.patient())
            #expect(walkIn.code == "provider_unknown")  // The owner, who is asked before anybody is refused, has no such card here.
            let paths = ["/internal/cards/providers/\(desk.provider)", "/internal/cards/accounts/\(doctor)/provider"]
            @LoopActor func owned(_ until: LocalDate?) {
                var card = JSONObject([
                    ("providerId", .string("\(desk.provider)")), ("accountId", .string("\(doctor)")),
                    ("locationId", .string("\(desk.test.location)")), ("zone", .string("Asia/Kolkata")), ("active", .bool(true)),
                ])
                card["licensedUntil"] = until.map { .string("\($0)") }
                for path in paths { desk.test.cards["scheduling", path] = card }
            }
            for until in [nil, desk.today.adding(days: -1)] {
                owned(until)
                let refused = [
                    try await desk.walkIn(try await desk.patient()), try await desk.next(), try await desk.change(token, "WITH_DOCTOR"),
                ]
                #expect(refused.map(\.code) == ["provider_unlicensed", "provider_unlicensed", "provider_unlicensed"])
                #expect(refused.map(\.status) == [422, 422, 422])
            }
            #expect(try await desk.checkIn(booked).status == 201)  // They are here: whom they see is the desk's to find.
            #expect(try await desk.change(token, "SKIPPED").status == 200)

            owned(desk.today)  // The last day is a day.
            #expect(try await desk.next().status == 200)
            desk.test.cards.isDown = true
            try await desk.test.react(to: LicenceVerified(accountID: doctor, validUntil: desk.today), revision: 3)
            #expect(try await desk.walkIn(try await desk.patient()).status == 201)
        }
    }

    @Test func `A licence that was heard of first counts once the doctor is, and an older word says nothing`() async throws {
        try await onQueue { desk in
            let (doctor, provider) = (AccountID(), ProviderID())
            try await desk.test.react(to: LicenceVerified(accountID: doctor, validUntil: desk.today), revision: 2)
            try await desk.test.react(to: LicenceWithdrawn(accountID: doctor), revision: 1)
            try await desk.test.react(
                to: ProviderListed(providerID: provider, accountID: doctor, locationID: desk.test.location, zone: "Asia/Kolkata"))
            let bearer = try desk.test.token(.doctor, account: doctor)
            #expect(await desk.test.send("POST", "/v1/queue/next", bytes: [], bearer: bearer).status == 204)
        }
    }

    @Test func `Nobody walks in to a doctor who is offline unless the desk insists, and the trail says so`() async throws {
        try await onQueue { desk in
            #expect(try await desk.walkIn(try await desk.patient()).status == 201)  // Nothing was ever said.
            try await desk.say("offline")
            let patient = try await desk.patient()
            for force in [nil, false] {
                let refused = try await desk.walkIn(patient, force: force)
                #expect((refused.status, refused.code) == (409, "provider_offline"))
            }
            #expect(try await desk.checkIn(try await desk.booked()).status == 201)
            #expect(try await desk.walkIn(patient, force: true).status == 201)
            let after = try #require(try await desk.test.audited().last?["after"])
            #expect(JSONObject(json: after)?["providerOffline"] == .bool(true))
            #expect(try await desk.shown() == [.string("offline"), .string("offline")])
            try await desk.say("break")
            #expect(try await desk.walkIn(try await desk.patient()).status == 201)
            #expect(try await desk.shown() == [.string("break"), .string("break")])
        }
    }

    @Test func `Whose time away is over is there again, without anybody saying so`() async throws {
        try await onQueue { desk in
            desk.test.clock.now = try desk.noon()
            _ = try await desk.walkIn(try await desk.patient())
            try await desk.say("offline", until: desk.test.clock.now.adding(seconds: 600))
            desk.test.clock.advance(seconds: 599)
            #expect(try await desk.walkIn(try await desk.patient()).code == "provider_offline")
            #expect(try await desk.shown() == [.string("offline"), .string("offline")])
            desk.test.clock.advance(seconds: 1)
            #expect(try await desk.walkIn(try await desk.patient()).status == 201)
            #expect(try await desk.shown() == [.string("online"), .string("online")])
        }
    }

    @Test func `A doctor who calls is there, and the boards and the directory hear of it`() async throws {
        try await onQueue { desk in
            for _ in 0..<2 { _ = try await desk.walkIn(try await desk.patient()) }
            try await desk.say("offline")
            #expect(try await desk.next().status == 200)
            #expect(try await desk.shown() == [.string("online"), .string("online")])
            let facts = try await desk.test.announced().filter { $0.type == "queue.provider.presence_changed.v1" }
            #expect(facts.map { $0.data["status"] } == [.string("offline"), .string("online")])
            // A refused call changes nothing.
            try await desk.say("break")
            #expect(try await desk.next().code == "already_serving")
            #expect(try await desk.shown() == [.string("break"), .string("break")])
        }
    }

    @Test func `No answer that was kept for a repetition tells of a person who was erased`() async throws {
        try await onQueue { desk in
            func send(_ method: String, _ path: String, _ body: JSONObject, as role: Role, _ key: String) async throws -> TestHost.Answer {
                try await desk.test.send(method, path, body: body, as: role, headers: [("Idempotency-Key", key)])
            }
            func walkIn(_ patient: PatientID, _ key: String) async throws -> TestHost.Answer {
                let body = JSONObject([("patientId", .string("\(patient)")), ("providerId", .string("\(desk.provider)"))])
                return try await send("POST", "/v1/queue/walk-in", body, as: .reception, key)
            }
            let (patient, other) = (try await desk.patient(), try await desk.patient())
            let came = try await walkIn(patient, "w")
            let another = try await walkIn(other, "o")
            #expect((came.status, another.status) == (201, 201))
            // Called, and left as it was: an answer tells of somebody whether anything changed or not.
            let path = "/v1/queue/\(try came.id)"
            let waiting = JSONObject([("status", .string("WAITING"))])
            #expect(try await send("PATCH", path, waiting, as: .reception, "s").status == 200)
            #expect(try await send("POST", "/v1/queue/next", JSONObject(), as: .doctor, "n").status == 200)

            try await desk.test.react(to: PatientErased(patientID: patient))
            for again in [
                try await walkIn(patient, "w"), try await send("PATCH", path, waiting, as: .reception, "s"),
                try await send("POST", "/v1/queue/next", JSONObject(), as: .doctor, "n"),
            ] {
                #expect((again.status, again.code) == (409, "answer_gone"))
            }
            #expect(try await walkIn(other, "o").bytes == another.bytes)
        }
    }

    @Test func `Presence is the doctor's own or the desk's to say`() async throws {
        try await onQueue { desk in
            let path = "/v1/providers/\(desk.provider)/presence"
            let body = JSONObject([("status", .string("online")), ("room", .string("3"))])
            let own = try await desk.test.send("PUT", path, body: body, as: .doctor)
            #expect(own.status == 200)
            let stranger = try desk.test.token(.doctor, account: AccountID())
            let foreign = await desk.test.send("PUT", path, bytes: body.jsonBytes, bearer: stranger)
            #expect(foreign.status == 403)
            let unknown = try await desk.test.send(
                "PUT", "/v1/providers/\(ProviderID())/presence", body: body, as: .reception)
            #expect(unknown.status == 404)
            let wrong = try await desk.test.send(
                "PUT", path, body: JSONObject([("status", .string("asleep"))]), as: .doctor)
            #expect(wrong.pointers == ["/status"])
        }
    }
}
