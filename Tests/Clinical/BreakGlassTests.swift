import Access
import Bootstrap
import JSON
import Loop
import Postgres
import Primitives
import TestSupport
import Testing

@testable import Clinical

/// Closed charts, and what it takes to open one.
@Suite struct BreakGlassTests {
    private static let reason = JSONObject.body(("reason", .string("Unconscious in the emergency room")))

    /// A patient of another doctor, in a clinic where doctors open the charts of their own patients only.
    @LoopActor private static func stranger(_ host: TestHost) async throws -> (patient: PatientID, visit: VisitID) {
        let (patient, _) = try await host.registered()
        let visit = try await host.begun(patient)
        let policy = try await host.send("PUT", "/v1/charts/policy", body: .body(("policy", .string("care"))), as: .admin)
        #expect(policy.status == 200)
        return (patient, visit)
    }

    @Test func `Where charts open by care, another doctor sees none, whatever its address`() async throws {
        try await withClinical { host in
            let (patient, visit) = try await Self.stranger(host)
            let other = try await host.colleague()
            for path in ["/v1/patients/\(patient)", "/v1/visits/\(visit)", "/v1/visits/\(visit)/notes", "/v1/patients/\(patient)/visits"] {
                let refused = await host.send("GET", path, bytes: [], bearer: other)
                #expect((refused.status, refused.code) == (403, "chart_restricted"), "\(path)")
                #expect(try await host.send("GET", path, as: .doctor).status == 200, "\(path)")
            }
            let report = await host.send("GET", "/v1/reports/visit-history", bytes: [], bearer: other)
            #expect(report.items.isEmpty)
            let begun = await host.send(
                "POST", "/v1/visits", bytes: JSONObject.body(("patientId", .string("\(patient)"))).jsonBytes, bearer: other)
            #expect((begun.status, begun.code) == (403, "chart_restricted"))
            // Nurses work for the site.
            #expect(try await host.send("GET", "/v1/visits/\(visit)", as: .nurse).status == 200)
            // A record that does not exist and one of another tenant are the same.
            #expect(await host.send("GET", "/v1/visits/\(VisitID())", bytes: [], bearer: other).status == 404)
            let refusals = try await host.audited().filter { $0["allowed"] == false }
            #expect(refusals.count == 6)
        }
    }

    @Test func `A referral lets a colleague in, and only somebody inside can write one`() async throws {
        try await withClinical { host in
            let (patient, visit) = try await Self.stranger(host)
            let colleague = AccountID()
            let other = try host.token(.doctor, account: colleague)
            let body = JSONObject.body(("accountId", .string("\(colleague)")))
            let own = await host.send("POST", "/v1/patients/\(patient)/referrals", bytes: body.jsonBytes, bearer: other)
            #expect((own.status, own.code) == (403, "chart_restricted"))
            try await host.react(to: host.hired(colleague))
            #expect(try await host.send("POST", "/v1/patients/\(patient)/referrals", body: body, as: .doctor).status == 204)
            #expect(await host.send("GET", "/v1/visits/\(visit)", bytes: [], bearer: other).status == 200)
        }
    }

    @Test func `Breaking the glass takes a fresh proof and a reason, opens one chart, and ends by itself`() async throws {
        try await withClinical { host in
            let (patient, visit) = try await Self.stranger(host)
            let (second, _) = try await host.registered("Somebody Else", phone: "9820054321")
            let account = AccountID()
            let path = "/v1/patients/\(patient)/break-glass"

            let stale = try host.token(.doctor, account: account, authenticatedAgo: 301)
            let old = await host.send("POST", path, bytes: Self.reason.jsonBytes, bearer: stale)
            #expect((old.status, old.code) == (401, "insufficient_user_authentication"))
            let fresh = try host.token(.doctor, account: account)
            let mute = await host.send("POST", path, bytes: JSONObject.body(("reason", .string("x"))).jsonBytes, bearer: fresh)
            #expect(mute.status == 400)
            let long = JSONObject.body(("reason", .string("Unconscious here")), ("minutes", .int(61)))
            #expect(await host.send("POST", path, bytes: long.jsonBytes, bearer: fresh).status == 400)

            let broken = await host.send("POST", path, bytes: Self.reason.jsonBytes, bearer: fresh)
            #expect(broken.status == 201)
            #expect(await host.send("GET", "/v1/visits/\(visit)", bytes: [], bearer: fresh).status == 200)
            #expect(await host.send("GET", "/v1/patients/\(second)", bytes: [], bearer: fresh).status == 403)
            let read = try #require(try await host.auditedReads().last)
            #expect(read["purpose"] == "BTG" && read["after"] == ["ground": "break_glass"])
            #expect(try await host.announced().last?.type == "clinical.glass.broken.v1")
            // It is no door for others.
            let refer = JSONObject.body(("accountId", .string("\(AccountID())")))
            #expect(await host.send("POST", "/v1/patients/\(patient)/referrals", bytes: refer.jsonBytes, bearer: fresh).status == 403)

            try await host.database.asOwner(
                "alter table glass_grant no force row level security; update glass_grant set granted_at = granted_at - interval '61 minutes', expires_at = expires_at - interval '61 minutes'; alter table glass_grant force row level security")
            #expect(await host.send("GET", "/v1/visits/\(visit)", bytes: [], bearer: fresh).status == 403)
        }
    }

    @Test func `A restricted chart is closed to everybody but its own clinicians`() async throws {
        try await withClinical { host in
            let (patient, _) = try await host.registered()
            let visit = try await host.begun(patient)
            let locked = try await host.send(
                "PUT", "/v1/patients/\(patient)/restriction", body: .body(("restricted", .bool(true))), as: .doctor)
            #expect(locked.status == 204)
            let other = try host.token(.doctor, account: AccountID())
            let nurse = try host.token(.nurse, account: AccountID())
            for bearer in [other, nurse, try host.token(.admin)] {
                #expect(await host.send("GET", "/v1/visits/\(visit)", bytes: [], bearer: bearer).status == 403)
            }
            #expect(try await host.send("GET", "/v1/visits/\(visit)", as: .doctor).status == 200)
        }
    }

    @Test func `A broken glass unlocks nothing and refers nobody, nor does a visit that was begun on it`() async throws {
        try await withClinical { host in
            let (patient, visit) = try await Self.locked(host)
            #expect(try await host.send("POST", "/v1/visits/\(visit)/complete", as: .doctor).status == 200)
            let account = AccountID()
            let other = try await host.colleague(account)
            try await host.react(to: host.hired(account))
            let unlock = JSONObject.body(("restricted", .bool(false)), ("reason", .string("I would like to go on reading")))
            let refer = JSONObject.body(("accountId", .string("\(account)")))
            func refuses(_ when: Comment) async throws {
                for (method, path, body) in [("PUT", "restriction", unlock), ("POST", "referrals", refer)] {
                    let answer = await host.send(method, "/v1/patients/\(patient)/\(path)", bytes: body.jsonBytes, bearer: other)
                    #expect((answer.status, answer.code) == (403, "chart_restricted"), when)
                }
            }
            try await refuses("closed")
            let broken = await host.send("POST", "/v1/patients/\(patient)/break-glass", bytes: Self.reason.jsonBytes, bearer: other)
            #expect(broken.status == 201)
            try await refuses("on the glass")
            let begun = await host.send(
                "POST", "/v1/visits", bytes: JSONObject.body(("patientId", .string("\(patient)"))).jsonBytes, bearer: other)
            #expect(begun.status == 201)
            try await refuses("in the visit")
            #expect(try await host.send("GET", "/v1/patients/\(patient)", as: .doctor).json["restricted"] == true)
        }
    }

    @Test func `Who unlocks a chart of somebody they do not treat says why, and somebody else judges it`() async throws {
        try await withClinical { host in
            let (patient, visit) = try await Self.locked(host)
            let path = "/v1/patients/\(patient)/restriction"
            let stale = try host.token(.admin, authenticatedAgo: 301)
            let bare = JSONObject.body(("restricted", .bool(false)))
            let old = await host.send("PUT", path, bytes: bare.jsonBytes, bearer: stale)
            #expect((old.status, old.code) == (401, "insufficient_user_authentication"))
            let mute = try await host.send("PUT", path, body: bare, as: .admin)
            #expect((mute.status, mute.code) == (422, "reason_required"))
            #expect(try await host.send("GET", "/v1/visits/\(visit)", as: .admin).status == 403)

            let said = JSONObject.body(("restricted", .bool(false)), ("reason", .string("The colleague has left the clinic")))
            #expect(try await host.send("PUT", path, body: said, as: .admin).status == 204)
            #expect(try await host.send("GET", "/v1/visits/\(visit)", as: .admin).status == 200)
            #expect(try await host.announced().filter { $0.type == "clinical.glass.broken.v1" }.count == 1)
            let entry = try #require(try await host.send("GET", "/v1/break-glass", as: .auditor).items.first)
            #expect(entry["kind"] == "unlocked" && entry["reason"] == "The colleague has left the clinic")
            #expect(entry["accountId"] == .string(host.account(.admin).description))
            let change = try #require(try await host.audited().last { $0["action"] == "restrict" })
            #expect(change["after"] == .object(.body(("restricted", .bool(false)), ("grantId", entry["id"] ?? .null))))

            // Locking again takes nothing out of the queue, and the entry opens nothing.
            #expect(try await host.send("PUT", path, body: .body(("restricted", .bool(true))), as: .admin).status == 204)
            #expect(try await host.send("GET", "/v1/visits/\(visit)", as: .admin).status == 403)
            let id: String = try entry.required("id")
            let verdict = JSONObject.body(("outcome", .string("unjustified")))
            let own = try await host.send("POST", "/v1/break-glass/\(id)/review", body: verdict, as: .admin)
            #expect((own.status, own.code) == (403, "own_break_glass"))
            #expect(try await host.send("POST", "/v1/break-glass/\(id)/review", body: verdict, as: .auditor).status == 200)

            // Whoever treats the patient needs to tell nobody.
            #expect(try await host.send("PUT", path, body: bare, as: .doctor).status == 204)
            #expect(try await host.send("GET", "/v1/break-glass", as: .auditor).items.isEmpty)
        }
    }

    @Test func `A locked chart is exported by its patient, and by an administrator on a broken glass only`() async throws {
        try await withClinical { host in
            let (patient, _) = try await Self.locked(host)
            let path = "/v1/patients/\(patient)/export"
            for service in ExportRoutes.others { host.cards[service, "/internal/export/patients/\(patient)"] = JSONObject() }
            #expect(await host.send("GET", path, bytes: [], bearer: try host.token(.patient, patient: patient)).status == 200)
            let refused = try await host.send("GET", path, as: .admin)
            #expect((refused.status, refused.code) == (403, "chart_restricted"))
            #expect(try await host.send("POST", "/v1/patients/\(patient)/break-glass", body: Self.reason, as: .admin).status == 201)
            #expect(try await host.send("GET", path, as: .admin).status == 200)
            let read = try #require(try await host.auditedReads().last)
            #expect(read["action"] == "export" && read["purpose"] == "BTG")
        }
    }

    /// A patient of the doctor, whose chart the doctor has locked.
    @LoopActor private static func locked(_ host: TestHost) async throws -> (patient: PatientID, visit: VisitID) {
        let (patient, _) = try await host.registered()
        let visit = try await host.begun(patient)
        let answer = try await host.send(
            "PUT", "/v1/patients/\(patient)/restriction", body: .body(("restricted", .bool(true))), as: .doctor)
        #expect(answer.status == 204)
        return (patient, visit)
    }

    @Test func `Somebody else judges it, once, and when nobody does in time the alarm is raised once`() async throws {
        try await withClinical { host in
            let (patient, _) = try await Self.stranger(host)
            let account = AccountID()
            let admin = try host.token(.admin, .doctor, account: account)
            let broken = await host.send("POST", "/v1/patients/\(patient)/break-glass", bytes: Self.reason.jsonBytes, bearer: admin)
            let id: String = try broken.json.required("id")
            #expect(await host.send("POST", "/v1/patients/\(patient)/break-glass", bytes: Self.reason.jsonBytes, bearer: try host.token(.doctor)).code == "not_needed")

            let alarm = ReviewAlarm(host: host.host, within: .seconds(259_200))
            try await alarm.look()
            host.clock.advance(seconds: 259_201)
            for _ in 1...2 { try await alarm.look() }
            #expect(try await host.announced().filter { $0.type == "clinical.glass.unreviewed.v1" }.count == 1)
            #expect(host.host.gauges["polyclinic_break_glass_overdue"]?.value == 1)
            let queue = try await host.send("GET", "/v1/break-glass?status=overdue", as: .auditor)
            #expect(try queue.items.map { try $0.required("reason", as: String.self) } == ["Unconscious in the emergency room"])

            let verdict = JSONObject.body(("outcome", .string("justified")))
            let own = await host.send(
                "POST", "/v1/break-glass/\(id)/review", bytes: verdict.jsonBytes, bearer: try host.token(.admin, .doctor, account: account))
            #expect((own.status, own.code) == (403, "own_break_glass"))
            #expect(try await host.send("POST", "/v1/break-glass/\(id)/review", body: verdict, as: .auditor).status == 200)
            let again = try await host.send("POST", "/v1/break-glass/\(id)/review", body: verdict, as: .auditor)
            #expect((again.status, again.code) == (409, "already_reviewed"))
            #expect(try await host.send("GET", "/v1/break-glass", as: .auditor).items.isEmpty)
        }
    }
}
