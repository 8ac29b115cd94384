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

/// A doctor with eight slots, whom patients come to and rate.
@LoopActor private struct Rated {
    let test: TestHost
    let provider: ProviderID
    let slots: [SlotID]
    let day: LocalDate

    nonisolated static func with(_ body: sending @escaping @LoopActor (Rated) async throws -> Void) async throws {
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
                let day = (Zone("Asia/Kolkata") ?? .utc).localDate(of: test.clock.now).adding(days: 1)
                let roster = JSONObject([
                    ("providerId", .string("\(provider)")), ("from", .string("\(day)")), ("to", .string("\(day)")),
                    ("start", .string("09:00")), ("end", .string("13:00")), ("slotMinutes", .int(30)),
                ])
                #expect(try await test.send("POST", "/v1/slots/bulk", body: roster, as: .doctor).status == 201)
                let free = try await test.send("GET", "/v1/slots?providerId=\(provider)&status=free", as: .patient).items
                try await body(Rated(test: test, provider: provider, slots: try free.map { try $0.required("id") }, day: day))
            }
        }
    }

    /// A patient who is booked, and was seen unless told otherwise.
    func came(_ slot: Int, seen: Bool = true) async throws -> (patient: PatientID, appointment: AppointmentID) {
        let patient = PatientID()
        try await test.react(to: PatientRegistered(patientID: patient, locationID: test.location, localDate: day))
        let body = JSONObject([("slotId", .string("\(slots[slot])")), ("patientId", .string("\(patient)"))])
        let id: AppointmentID = try await test.send("POST", "/v1/appointments", body: body, as: .reception).json.required("id")
        if seen {
            try await test.react(
                to: VisitCompleted(
                    visitID: VisitID(), patientID: patient, practitionerID: test.account(.doctor), tokenID: nil, appointmentID: id,
                    locationID: test.location, localDate: day, completedAt: test.clock.now))
        }
        return (patient, id)
    }

    func rate(_ id: AppointmentID, by patient: PatientID, _ score: Int64, _ comment: String? = nil) async throws -> TestHost.Answer {
        var body = JSONObject([("score", .int(score))])
        body["comment"] = comment.map { .string($0) }
        let bearer = try test.token(.patient, patient: patient)
        return await test.send("POST", "/v1/appointments/\(id)/rating", bytes: body.jsonBytes, bearer: bearer)
    }

    func profile() async throws -> JSONValue? {
        try await test.send("GET", "/v1/providers/\(provider)", as: .patient).json["rating"]
    }
}

@Suite struct RatingTests {
    @Test func `A patient rates an own appointment that is over, once`() async throws {
        try await Rated.with { rated in
            let (patient, id) = try await rated.came(0, seen: false)
            let early = try await rated.rate(id, by: patient, 5)
            #expect((early.status, early.code) == (409, "not_fulfilled"))
            let seen = try await rated.came(1)
            #expect(try await rated.rate(seen.appointment, by: patient, 5).status == 404)
            #expect(try await rated.rate(seen.appointment, by: seen.patient, 6).pointers == ["/score"])
            let made = try await rated.rate(seen.appointment, by: seen.patient, 4, "Took the time")
            #expect(made.status == 201 && made.json["score"] == .int(4) && made.json["comment"] == "Took the time")
            let again = try await rated.rate(seen.appointment, by: seen.patient, 1)
            #expect((again.status, again.code) == (409, "already_rated"))
            #expect(try await rated.test.send("POST", "/v1/appointments/\(seen.appointment)/rating", as: .reception).status == 403)
        }
    }

    @Test func `The profile says how many and how good from five on, and neither who nor what`() async throws {
        try await Rated.with { rated in
            for slot in 0..<5 {
                #expect(try await rated.profile() == nil)
                let seen = try await rated.came(slot)
                #expect(try await rated.rate(seen.appointment, by: seen.patient, slot == 0 ? 3 : 5).status == 201)
            }
            #expect(try await rated.profile() == .object(JSONObject([("count", .int(5)), ("mean", .double(4.6))])))
        }
    }

    @Test func `Whoever it is about and administrators read what was said, without a name`() async throws {
        try await Rated.with { rated in
            let seen = try await rated.came(0)
            _ = try await rated.rate(seen.appointment, by: seen.patient, 2, "Waited an hour")
            let path = "/v1/providers/\(rated.provider)/ratings"
            for role in [Role.doctor, .admin] {
                let list = try await rated.test.send("GET", path, as: role)
                #expect(list.items.first?["comment"] == "Waited an hour" && list.items.count == 1)
                let text = String(decoding: list.bytes, as: UTF8.self)
                #expect(!text.contains("\(seen.patient)") && !text.contains("\(seen.appointment)"))
            }
            let stranger = try rated.test.token(.doctor, account: AccountID())
            #expect(await rated.test.send("GET", path, bytes: [], bearer: stranger).status == 403)
            #expect(try await rated.test.send("GET", path, as: .patient).status == 403)

            let own = try rated.test.token(.patient, patient: seen.patient)
            let export = await rated.test.send("GET", "/internal/export/patients/\(seen.patient)", bytes: [], bearer: own)
            #expect(String(decoding: export.bytes, as: UTF8.self).contains("Waited an hour"))

            try await rated.test.react(to: PatientErased(patientID: seen.patient))
            let after = try await rated.test.send("GET", path, as: .admin).items
            #expect(after.count == 1 && after.first?["comment"] == nil && after.first?["score"] == .int(2))
        }
    }

    @Test func `The database itself takes no rating of what was not, or of somebody else's`() async throws {
        try await Rated.with { rated in
            let seen = try await rated.came(0)
            let open = try await rated.came(1, seen: false)
            let tries: [(AppointmentID, PatientID, ProviderID)] = [
                (open.appointment, open.patient, rated.provider), (seen.appointment, open.patient, rated.provider),
            ]
            for (appointment, patient, provider) in tries {
                let rating = Rating(
                    id: RatingID(), appointment: appointment, patient: patient, provider: provider, score: 5, comment: nil,
                    at: rated.test.clock.now)
                await #expect(throws: RatingError.notOver) {
                    try await rated.test.host.db.transaction(for: rated.test.tenant) { try await RatingStore(sql: $0).insert(rating) }
                }
            }
        }
    }
}
