import Access
import Bootstrap
import Cryptography
import JSON
import Loop
import Postgres
import Primitives
import TestSupport
import Testing

@testable import Clinical

/// Asking about one's own record, and the month in which the answer is due.
@Suite struct PrivacyRequestTests {
    private static let wrong = JSONObject.body(("kind", .string("correction")), ("words", .string("My sister has the allergy, not I.")))

    @LoopActor private static func filed(
        _ test: TestHost, _ body: JSONObject = wrong, as account: AccountID = AccountID(), for patient: PatientID
    ) async throws -> TestHost.Answer {
        let token = try test.token(.patient, account: account, patient: patient)
        return await test.send("POST", "/v1/patients/\(patient)/requests", bytes: body.jsonBytes, bearer: token)
    }

    @Test func `A patient asks, sees when the answer is due, and what came of it`() async throws {
        try await withClinical { test in
            let (patient, _) = try await test.registered()
            let asked = try await Self.filed(test, for: patient)
            #expect(asked.status == 201)
            let id: String = try asked.json.required("id")
            let due: LocalDate = try asked.json.required("dueOn")
            #expect(asked.json["overdue"] == false && asked.json["outcome"] == nil)
            #expect(due >= Zone.utc.localDate(of: test.clock.now).adding(days: 30))
            // What was written is sealed.
            let rests = try await test.host.db.reader(for: test.tenant).all(
                "select encode(words, 'escape') from privacy_request", as: { try $0.next(as: String.self) })
            #expect(rests.count == 1 && !rests[0].contains("sister"))

            let listed = try await test.send("GET", "/v1/privacy-requests", as: .admin)
            #expect(listed.items.map { $0["words"] } == [Self.wrong["words"]])
            let silent = try await test.send(
                "POST", "/v1/privacy-requests/\(id)/answer", body: .body(("outcome", .string("refused"))), as: .admin)
            #expect((silent.status, silent.code) == (422, "reason_missing"))
            let answer = JSONObject.body(("outcome", .string("refused")), ("words", .string("The note was signed: an addendum says it.")))
            #expect(try await test.send("POST", "/v1/privacy-requests/\(id)/answer", body: answer, as: .admin).status == 200)
            let again = try await test.send("POST", "/v1/privacy-requests/\(id)/answer", body: answer, as: .admin)
            #expect((again.status, again.code) == (409, "request_answered"))
            #expect(try await test.send("GET", "/v1/privacy-requests", as: .admin).items.isEmpty)

            let own = await test.send(
                "GET", "/v1/patients/\(patient)/requests", bytes: [],
                bearer: try test.token(.patient, account: AccountID(), patient: patient))
            #expect(own.items.map { $0["answer"] } == [answer["words"]])
            let announced = try await test.announced().filter { $0.type.hasPrefix("clinical.privacy_request") }
            #expect(announced.map(\.type) == ["clinical.privacy_request.filed.v1", "clinical.privacy_request.answered.v1"])
            let actions = try await test.audited().filter { $0["resource"] == "privacy_request" }.compactMap { $0["action"] }
            #expect(actions.starts(with: ["file"]) && actions.contains("answer"))
        }
    }

    @Test func `Nobody asks about another's record or reads what another asked, and staff without the right do not answer`() async throws {
        try await withClinical { test in
            let (patient, _) = try await test.registered()
            let (other, _) = try await test.registered("Somebody Else", phone: "9820054321")
            let id: String = try await Self.filed(test, for: patient).json.required("id")
            let stranger = try test.token(.patient, account: AccountID(), patient: other)
            let path = "/v1/patients/\(patient)/requests"
            #expect(await test.send("POST", path, bytes: Self.wrong.jsonBytes, bearer: stranger).status == 404)
            #expect(await test.send("GET", path, bytes: [], bearer: stranger).status == 404)
            #expect(await test.send("GET", "/v1/privacy-requests", bytes: [], bearer: stranger).status == 403)
            let answer = JSONObject.body(("outcome", .string("done")))
            for role in [Role.doctor, .reception, .auditor] {
                #expect(try await test.send("POST", "/v1/privacy-requests/\(id)/answer", body: answer, as: role).status == 403)
            }
            #expect(try await test.send("POST", "/v1/privacy-requests/\(PrivacyRequestID())/answer", body: answer, as: .admin).status == 404)
        }
    }

    @Test func `One request of a kind waits at a time, and an answered one makes room`() async throws {
        try await withClinical { test in
            let (patient, _) = try await test.registered()
            let first = try await Self.filed(test, for: patient)
            let second = try await Self.filed(test, for: patient)
            #expect((second.status, second.code) == (409, "request_open"))
            let other = JSONObject.body(("kind", .string("restriction")), ("words", .string("x")))
            #expect(try await Self.filed(test, other, for: patient).status == 201)
            let id: String = try first.json.required("id")
            let done = try await test.send(
                "POST", "/v1/privacy-requests/\(id)/answer", body: .body(("outcome", .string("done"))), as: .admin)
            #expect(done.status == 200)
            #expect(try await Self.filed(test, for: patient).status == 201)
            // The database has the rules too.
            await #expect(throws: PostgresError.self) {
                try await test.database.asOwner(
                    "alter table privacy_request no force row level security; update privacy_request set due_on = due_on + 30 where outcome is not null")
            }
        }
    }

    @Test func `The administrators are told once when its day comes near, and see what is overdue first`() async throws {
        try await withClinical { test in
            let clock = PrivacyRequestClock(host: test.host)
            let (patient, _) = try await test.registered()
            let first: String = try await Self.filed(test, for: patient).json.required("id")
            try await clock.look()
            #expect(try await test.announced().filter { $0.type.contains("remained_open") }.isEmpty)
            test.clock.now = test.clock.now.adding(seconds: 24 * 86_400)
            let (other, _) = try await test.registered("Somebody Else", phone: "9820054321")
            let second: String = try await Self.filed(test, for: other).json.required("id")
            for _ in 1...2 { try await clock.look() }
            let told = try await test.announced().filter { $0.type == "clinical.privacy_request.remained_open.v1" }
            #expect(told.map { $0.data["requestId"] } == [.string(first)])
            #expect(test.host.gauges["polyclinic_privacy_requests_overdue"]?.value == 0)
            test.clock.now = test.clock.now.adding(seconds: 8 * 86_400)
            try await clock.look()
            #expect(test.host.gauges["polyclinic_privacy_requests_overdue"]?.value == 1)
            #expect(test.host.gauges["polyclinic_privacy_requests_open"]?.value == 2)
            let page = try await test.send("GET", "/v1/privacy-requests?limit=1", as: .admin)
            #expect(page.items.map { $0["id"] } == [.string(first)] && page.items.first?["overdue"] == true)
            let cursor: String = try page.json.required("nextCursor")
            let next = try await test.send("GET", "/v1/privacy-requests?limit=1&cursor=\(cursor)", as: .admin)
            #expect(next.items.map { $0["id"] } == [.string(second)] && next.items.first?["overdue"] == false)
        }
    }

    @Test func `After erasure the request stays and its words do not`() async throws {
        try await withClinical { test in
            let (patient, _) = try await test.registered()
            let body = JSONObject.body(("kind", .string("erasure")), ("words", .string("Forget me.")))
            let id: String = try await Self.filed(test, body, for: patient).json.required("id")
            let erased = try await test.send(
                "POST", "/v1/patients/\(patient)/erasure", body: .body(("ground", .string("patient_request"))), as: .admin)
            #expect(erased.status == 200)
            let listed = try await test.send("GET", "/v1/privacy-requests", as: .admin)
            #expect(listed.items.map { $0["id"] } == [.string(id)] && listed.items.first?["words"] == nil)
            let words = JSONObject.body(("outcome", .string("done")), ("words", .string("It is done.")))
            let late = try await test.send("POST", "/v1/privacy-requests/\(id)/answer", body: words, as: .admin)
            #expect((late.status, late.code) == (409, "record_erased"))
            let done = JSONObject.body(("outcome", .string("done")))
            #expect(try await test.send("POST", "/v1/privacy-requests/\(id)/answer", body: done, as: .admin).status == 200)
        }
    }
}
