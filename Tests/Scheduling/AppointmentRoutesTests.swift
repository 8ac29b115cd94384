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

/// Scheduling as it runs, with one doctor listed and that doctor's time of ten days from now open.
func onScheduling(_ body: sending @escaping @LoopActor (Desk) async throws -> Void) async throws {
    try await onLoop {
        try await TestHost.with(SchedulingConfig.init(environment:), SchedulingService.describe) { test in
            try await test.react(
                to: AccountCreated(
                    accountID: test.account(.doctor), roles: ["doctor"], locationID: test.location,
                    zone: "Asia/Kolkata", professionalName: "Dr. Asha Rao", patientID: nil))
            try await test.react(
                to: LicenceVerified(accountID: test.account(.doctor), validUntil: date("2199-12-31")))
            try await body(try await Desk.open(test))
        }
    }
}

@LoopActor struct Desk {
    let test: TestHost
    let provider: ProviderID
    let slots: [SlotID]
    let day: LocalDate

    static func open(_ test: TestHost) async throws -> Desk {
        let listed = try await test.send("GET", "/v1/providers", as: .reception).items
        let provider = try #require(try listed.first?.required("id", as: ProviderID.self))
        let day = (Zone("Asia/Kolkata") ?? .utc).localDate(of: test.clock.now).adding(days: 10)
        let opened = try await test.send("POST", "/v1/slots/bulk", body: roster(provider, day), as: .doctor)
        #expect(opened.status == 201)
        let free = try await test.send("GET", "/v1/slots?providerId=\(provider)&status=free", as: .patient).items
        return Desk(test: test, provider: provider, slots: try free.map { try $0.required("id") }, day: day)
    }

    static func roster(_ provider: ProviderID, _ day: LocalDate) -> JSONObject {
        JSONObject([
            ("providerId", .string("\(provider)")), ("from", .string("\(day)")), ("to", .string("\(day)")),
            ("start", .string("09:00")), ("end", .string("11:00")), ("slotMinutes", .int(30)),
        ])
    }

    func patient() async throws -> PatientID {
        let id = PatientID()
        try await test.react(to: PatientRegistered(patientID: id, locationID: test.location, localDate: day))
        return id
    }

    func book(
        _ slot: SlotID, _ patient: PatientID, more: [(name: String, value: JSONValue)] = [], key: String? = nil
    ) async throws -> TestHost.Answer {
        let body = JSONObject([("slotId", .string("\(slot)")), ("patientId", .string("\(patient)"))] + more)
        return try await test.send(
            "POST", "/v1/appointments", body: body, as: .reception,
            headers: key.map { [("Idempotency-Key", $0)] } ?? [])
    }
}

@Suite struct AppointmentRoutesTests {
    @Test func `Whoever reads appointments is in the trail once a request, a change of nothing too`() async throws {
        try await onScheduling { desk in
            let patient = try await desk.patient()
            let booked = try await desk.book(desk.slots[0], patient, more: [("reason", .string("chest pain"))])
            let path = "/v1/appointments/\(try booked.json.required("id", as: String.self))"
            var seen = 0
            for (method, path, headers) in [
                ("GET", "/v1/appointments", []), ("GET", path, []), ("PATCH", path, [("If-Match", booked.etag ?? "")]),
            ] as [(String, String, [(name: String, value: String)])] {
                let body = method == "PATCH" ? JSONObject() : nil
                let answer = try await desk.test.send(method, path, body: body, as: .reception, headers: headers)
                #expect(answer.status == 200, "\(method) \(path)")
                let reads = try await desk.test.auditedReads()
                #expect(reads.count == seen + 1, "\(method) \(path)")
                seen = reads.count
                let names = reads.last?["patientId"] == .string("\(patient)")
                    || reads.last?["after"] == ["patients": [.string("\(patient)")]]
                #expect(names, "\(method) \(path)")
            }
            let guess = await desk.test.send(
                "GET", path, bytes: [], bearer: try desk.test.token(.patient, patient: PatientID()))
            #expect(guess.status == 404)
            #expect(try await desk.test.audited().last?["patientId"] == .string("\(patient)"))
        }
    }

    @Test func `A booking is announced and audited with the change, and its key repeats it`() async throws {
        try await onScheduling { desk in
            let patient = try await desk.patient()
            let reason: [(name: String, value: JSONValue)] = [("reason", .string("chest pain"))]
            let first = try await desk.book(desk.slots[0], patient, more: reason, key: "one")
            #expect(first.status == 201)
            let again = try await desk.book(desk.slots[0], patient, more: reason, key: "one")
            #expect(again.bytes == first.bytes)
            let facts = try await desk.test.announced().filter { $0.type == "scheduling.appointment.booked.v1" }
            #expect(facts.count == 1)
            let audit = try #require(try await desk.test.audited().last)
            #expect(try audit.required("action", as: String.self) == "book")
            // Why somebody comes is nobody's business outside.
            let told = String(decoding: audit.jsonBytes + facts[0].data.jsonBytes, as: UTF8.self)
            #expect(!told.contains("chest"))
        }
    }

    @Test func `Why somebody comes is told to the desk, the patient, their doctor and the site's nurses`() async throws {
        try await onScheduling { desk in
            let patient = try await desk.patient()
            let booked = try await desk.book(desk.slots[0], patient, more: [("reason", .string("chest pain"))])
            let id: AppointmentID = try booked.json.required("id")
            let own = try desk.test.token(.patient, patient: patient)
            let theirs = try desk.test.token(.doctor, account: AccountID())
            @LoopActor func answered(_ bearer: String) async -> [TestHost.Answer] {
                [
                    await desk.test.send("GET", "/v1/appointments/\(id)", bytes: [], bearer: bearer),
                    await desk.test.send("GET", "/v1/appointments?patientId=\(patient)", bytes: [], bearer: bearer),
                ]
            }
            @LoopActor func told(_ bearer: String) async throws -> [JSONValue?] {
                let one = await desk.test.send("GET", "/v1/appointments/\(id)", bytes: [], bearer: bearer)
                let all = await desk.test.send("GET", "/v1/appointments?patientId=\(patient)", bytes: [], bearer: bearer)
                #expect(one.status == 200 && all.items.count == 1)
                return [one.json["reason"], all.items.first?["reason"]]
            }
            for bearer in [
                own, try desk.test.token(.reception), try desk.test.token(.admin), try desk.test.token(.doctor),
                try desk.test.token(.nurse),
            ] { #expect(try await told(bearer) == ["chest pain", "chest pain"]) }
            #expect(try await told(theirs) == [nil, nil])
            for (restricted, minute) in [(true, 2), (false, 1)] as [(Bool, Int64)] {  // The later word counts.
                try await desk.test.react(
                    to: PatientRestrictionChanged(
                        patientID: patient, isRestricted: restricted, at: desk.test.clock.now.adding(seconds: minute * 60)))
            }
            for bearer in [own, try desk.test.token(.reception), try desk.test.token(.doctor)] {
                #expect(try await told(bearer) == ["chest pain", "chest pain"])
            }
            try await desk.test.react(
                to: TokenIssued(
                    tokenID: TokenID(), number: "A-001", patientID: patient, providerID: desk.provider,
                    locationID: desk.test.location, appointmentID: id, localDate: desk.day, priority: "routine",
                    issuedAt: desk.test.clock.now))
            #expect(await answered(own)[0].json["tokenId"] != nil)
            for bearer in [theirs, try desk.test.token(.nurse)] {
                #expect(try await told(bearer) == [nil, nil])
                #expect(await answered(bearer)[0].json["tokenId"] == nil)
            }
            try await desk.test.database.asOwner(
                """
                alter table appointment no force row level security;
                update appointment set location_id = '\(LocationID())';
                alter table appointment force row level security
                """)
            // At another site it is the own doctor's, the patient's and the desk's, and nobody else's.
            for bearer in [own, try desk.test.token(.reception), try desk.test.token(.doctor)] {
                #expect(try await told(bearer) == ["chest pain", "chest pain"])
            }
            for bearer in [theirs, try desk.test.token(.nurse)] {
                let (one, all) = (await answered(bearer)[0], await answered(bearer)[1])
                #expect((one.status, all.status, all.items.count) == (404, 200, 0))
            }
        }
    }

    @Test func `A doctor sees every appointment of who is booked with them, a nurse those of the site`() async throws {
        try await onScheduling { desk in
            let colleague = AccountID()
            try await desk.test.react(
                to: AccountCreated(
                    accountID: colleague, roles: ["doctor"], locationID: LocationID(), zone: "Asia/Kolkata",
                    professionalName: "Dr. Omar", patientID: nil))
            try await desk.test.react(to: LicenceVerified(accountID: colleague, validUntil: date("2199-12-31")))
            let listed = try await desk.test.send("GET", "/v1/providers?accountId=\(colleague)", as: .reception).items
            let theirs = try #require(try listed.first?.required("id", as: ProviderID.self))
            let roster = Desk.roster(theirs, desk.day.adding(days: 1))
            #expect(try await desk.test.send("POST", "/v1/slots/bulk", body: roster, as: .admin).status == 201)
            let slots = try await desk.test.send("GET", "/v1/slots?providerId=\(theirs)&status=free", as: .patient).items
            let slot = try #require(try slots.first?.required("id", as: SlotID.self))

            let patient = try await desk.patient()
            let first = try await desk.book(desk.slots[0], patient).json.required("id", as: AppointmentID.self)
            // Tokens are of the desk's site; the colleague works at another.
            let elsewhere = try desk.test.token(.doctor, account: colleague)
            try await desk.test.database.asOwner(
                """
                alter table appointment no force row level security;
                update appointment set location_id = '\(LocationID())';
                alter table appointment force row level security
                """)
            @LoopActor func seen(_ bearer: String) async -> Int {
                await desk.test.send("GET", "/v1/appointments/\(first)", bytes: [], bearer: bearer).status
            }
            #expect(await seen(elsewhere) == 404)
            let second = try await desk.book(slot, patient).json.required("id", as: AppointmentID.self)
            #expect(await seen(elsewhere) == 200)
            #expect(await seen(try desk.test.token(.nurse)) == 404)
            #expect(try await desk.test.send("GET", "/v1/appointments/\(second)", as: .nurse).status == 200)
            #expect(try await desk.test.send("DELETE", "/v1/appointments/\(second)", as: .reception).status == 200)
            #expect(await seen(elsewhere) == 404)
        }
    }

    @Test func `A patient we have not heard of is asked for once, and refused only if clinical says so`() async throws {
        try await onScheduling { desk in
            let known = PatientID()
            let closed = PatientID()
            for (patient, isActive) in [(known, true), (closed, false)] {
                desk.test.cards["clinical", "/internal/cards/patients/\(patient)"] = JSONObject([
                    ("patientId", .string("\(patient)")), ("active", .bool(isActive)),
                ])
            }
            let booked = try await desk.book(desk.slots[0], known)
            #expect(booked.status == 201)
            let inactive = try await desk.book(desk.slots[1], closed)
            #expect((inactive.status, inactive.code) == (422, "patient_inactive"))
            let unknown = try await desk.book(desk.slots[1], PatientID())
            #expect((unknown.status, unknown.code) == (422, "patient_unknown"))
            let asked = desk.test.cards.asked.count
            let second = try await desk.book(desk.slots[1], known)
            #expect(second.status == 201)
            #expect(desk.test.cards.asked.count == asked)
            desk.test.cards.isDown = true
            let waiting = try await desk.book(desk.slots[2], PatientID())
            #expect(waiting.status == 503)
        }
    }

    @Test func `A booking that is refused leaves nothing, not even the key that its words were to be sealed under`() async throws {
        try await onScheduling { desk in
            let patient = try await desk.patient()
            let why: [(name: String, value: JSONValue)] = [("reason", .string("chest pain"))]
            #expect(try await desk.book(desk.slots[0], patient).status == 201)
            #expect(try await desk.book(desk.slots[0], try await desk.patient(), more: why).code == "slot_taken")
            // Erased, and so without a key: one made now would not open what was said before.
            let erased = PatientID()
            #expect(try await desk.book(desk.slots[1], erased, more: why).code == "patient_unknown")
            let keys = try await desk.test.host.db.reader(for: desk.test.tenant).first(
                "select count(*) from data_key", as: { try $0.next(as: Int.self) })
            #expect(keys == 0)
        }
    }

    @Test func `What cannot be booked says why`() async throws {
        try await onScheduling { desk in
            let patient = try await desk.patient()
            let other = try await desk.patient()
            let missing = try await desk.book(SlotID(), patient)
            #expect(missing.status == 404)
            let taken = try await desk.book(desk.slots[0], patient)
            #expect(taken.status == 201)
            let late = try await desk.book(desk.slots[0], other)
            #expect((late.status, late.code) == (409, "slot_taken"))
            let blocked = try await desk.test.send(
                "PATCH", "/v1/slots/\(desk.slots[1])", body: JSONObject([("status", .string("blocked"))]),
                as: .doctor, headers: [("If-Match", "\"1\"")])
            #expect(blocked.status == 200)
            let refused = try await desk.book(desk.slots[1], other)
            #expect((refused.status, refused.code) == (409, "slot_blocked"))
            desk.test.clock.advance(seconds: 11 * 86_400)
            let past = try await desk.book(desk.slots[2], other)
            #expect((past.status, past.code) == (422, "slot_in_past"))
        }
    }

    @Test func `Whoever retired cannot be booked`() async throws {
        try await onScheduling { desk in
            let patient = try await desk.patient()
            try await desk.test.react(
                to: AccountDeactivated(accountID: desk.test.account(.doctor), at: desk.test.clock.now), revision: 2)
            let answer = try await desk.book(desk.slots[0], patient)
            #expect((answer.status, answer.code) == (422, "provider_inactive"))
            let free = try await desk.test.send("GET", "/v1/slots?status=free", as: .reception)
            #expect(free.items.isEmpty)
        }
    }

    @Test func `An appointment moves, is cancelled, and each time its slot is free again`() async throws {
        try await onScheduling { desk in
            let patient = try await desk.patient()
            let booked = try await desk.book(desk.slots[0], patient)
            let id = try booked.json.required("id", as: AppointmentID.self)
            let body = JSONObject([("slotId", .string("\(desk.slots[1])"))])
            let unsure = try await desk.test.send("PATCH", "/v1/appointments/\(id)", body: body, as: .reception)
            #expect(unsure.status == 428)
            let moved = try await desk.test.send(
                "PATCH", "/v1/appointments/\(id)", body: body, as: .reception, headers: [("If-Match", "\"1\"")])
            #expect(moved.status == 200)
            let stale = try await desk.test.send(
                "PATCH", "/v1/appointments/\(id)", body: body, as: .reception, headers: [("If-Match", "\"1\"")])
            #expect(stale.status == 412)
            let cancelled = try await desk.test.send("DELETE", "/v1/appointments/\(id)?reason=ill", as: .reception)
            #expect(try cancelled.json.required("status", as: String.self) == "cancelled")
            let twice = try await desk.test.send("DELETE", "/v1/appointments/\(id)", as: .reception)
            #expect((twice.status, twice.code) == (409, "not_cancellable"))
            let free = try await desk.test.send("GET", "/v1/slots?status=free", as: .reception)
            #expect(free.items.count == desk.slots.count)
        }
    }

    @Test func `A patient books and sees only for themselves`() async throws {
        try await onScheduling { desk in
            let own = try await desk.patient()
            let other = try await desk.patient()
            let token = try desk.test.token(.patient, patient: own)
            func book(_ patient: PatientID, _ slot: SlotID, priority: String = "routine") async -> TestHost.Answer {
                let body = JSONObject([
                    ("slotId", .string("\(slot)")), ("patientId", .string("\(patient)")),
                    ("priority", .string(priority)),
                ])
                return await desk.test.send("POST", "/v1/appointments", bytes: body.jsonBytes, bearer: token)
            }
            let mine = await book(own, desk.slots[0])
            #expect(mine.status == 201)
            let theirs = await book(other, desk.slots[1])
            #expect(theirs.status == 403)
            let pressing = await book(own, desk.slots[1], priority: "emergency")
            #expect(pressing.code == "priority_not_permitted")
            let foreign = try await desk.book(desk.slots[1], other).json.required("id", as: AppointmentID.self)
            let hidden = await desk.test.send("GET", "/v1/appointments/\(foreign)", bytes: [], bearer: token)
            #expect(hidden.status == 404)
            let list = await desk.test.send("GET", "/v1/appointments", bytes: [], bearer: token)
            #expect(list.items.count == 1)
        }
    }

    @Test func `A token makes an appointment arrived, a visit makes it fulfilled, twice changes nothing`()
        async throws
    {
        try await onScheduling { desk in
            let patient = try await desk.patient()
            let id = try await desk.book(desk.slots[0], patient).json.required("id", as: AppointmentID.self)
            let token = TokenID()
            let issued = TokenIssued(
                tokenID: token, number: "A-001", patientID: patient, providerID: desk.provider,
                locationID: desk.test.location, appointmentID: id, localDate: desk.day, priority: "routine",
                issuedAt: desk.test.clock.now)
            let completed = VisitCompleted(
                visitID: VisitID(), patientID: patient, practitionerID: desk.test.account(.doctor), tokenID: token,
                appointmentID: id, locationID: desk.test.location, localDate: desk.day,
                completedAt: desk.test.clock.now)
            for _ in 0..<2 { try await desk.test.react(to: issued) }
            for _ in 0..<2 { try await desk.test.react(to: completed) }
            let answer = try await desk.test.send("GET", "/v1/appointments/\(id)", as: .doctor)
            #expect(try answer.json.required("status", as: String.self) == "fulfilled")
            #expect(answer.etag == "\"3\"")
            let facts = try await desk.test.announced().map(\.type).suffix(2)
            #expect(facts == ["scheduling.appointment.arrived.v1", "scheduling.appointment.fulfilled.v1"])
        }
    }

    @Test func `Nobody opens or blocks another's time, and wrong hours are named`() async throws {
        try await onScheduling { desk in
            let stranger = try desk.test.token(.doctor, account: AccountID())
            let roster = Desk.roster(desk.provider, desk.day)
            let foreign = await desk.test.send("POST", "/v1/slots/bulk", bytes: roster.jsonBytes, bearer: stranger)
            #expect(foreign.status == 403)
            var wrong = roster
            wrong["slotMinutes"] = .int(20)
            let odd = try await desk.test.send("POST", "/v1/slots/bulk", body: wrong, as: .doctor)
            #expect(odd.pointers == ["/slotMinutes"])
            wrong = roster
            wrong["to"] = .string("\(desk.day.adding(days: -1))")
            let reversed = try await desk.test.send("POST", "/v1/slots/bulk", body: wrong, as: .doctor)
            #expect(reversed.pointers == ["/to"])
            let again = try await desk.test.send("POST", "/v1/slots/bulk", body: roster, as: .doctor)
            #expect(try again.json.required("created", as: Int.self) == 0)
        }
    }
}
