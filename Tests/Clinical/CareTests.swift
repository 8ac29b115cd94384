import Access
import Bootstrap
import Contracts
import JSON
import Loop
import Postgres
import Primitives
import TestSupport
import Testing

@testable import Clinical

/// What makes a chart a clinician's own, and when it no longer is.
@Suite struct CareTests {
    /// A patient whom this test's doctor has nothing to do with: registered at another site, in a clinic with this rule.
    @LoopActor private static func stranger(_ host: TestHost, _ policy: String = "care") async throws -> PatientID {
        let (patient, _) = try await host.registered()
        try await host.database.asOwner(
            """
            alter table patient no force row level security;
            update patient set location_id = '\(LocationID())' where id = '\(patient)';
            alter table patient force row level security
            """)
        let changed = try await host.send("PUT", "/v1/charts/policy", body: .body(("policy", .string(policy))), as: .admin)
        #expect(changed.status == 200)
        return patient
    }

    /// Another practitioner of the clinic.
    @LoopActor private static func listed(_ host: TestHost, as account: AccountID) async throws -> ProviderID {
        let provider = ProviderID()
        try await host.react(
            to: ProviderListed(providerID: provider, accountID: account, locationID: host.location, zone: "Asia/Kolkata"))
        return provider
    }

    @LoopActor private static func today(_ host: TestHost) -> LocalDate {
        (Zone("Asia/Kolkata") ?? .utc).localDate(of: host.clock.now)
    }

    /// What the doctor is answered who begins a visit by this token of queue's.
    @LoopActor private static func begun(
        _ host: TestHost, _ patient: PatientID, tokenOf provider: ProviderID, _ status: String = "WAITING",
        on day: LocalDate? = nil, at location: LocationID? = nil, as role: Role = .doctor
    ) async throws -> TestHost.Answer {
        let token = TokenID()
        let today = day ?? today(host)
        host.cards["queue", "/internal/cards/tokens/\(token)"] = .body(
            ("tokenId", .string("\(token)")), ("patientId", .string("\(patient)")), ("providerId", .string("\(provider)")),
            ("status", .string(status)), ("locationId", .string("\(location ?? host.location)")),
            ("localDate", .string("\(today)")))
        return try await host.send(
            "POST", "/v1/visits", body: .body(("patientId", .string("\(patient)")), ("tokenId", .string("\(token)"))), as: role)
    }

    @Test func `An arrival opens a chart while it lasts, on its day, to whom the patient came to`() async throws {
        try await withClinical { host in
            let patient = try await Self.stranger(host)
            let own = try await Self.listed(host, as: host.account(.doctor))
            let other = try await Self.listed(host, as: AccountID())
            let today = Self.today(host)
            for status in ["LEFT", "COMPLETED"] {
                let over = try await Self.begun(host, patient, tokenOf: own, status)
                #expect((over.status, over.code) == (403, "chart_restricted"), "\(status)")
            }
            for days in [-365, -1, 1] {
                let day = try await Self.begun(host, patient, tokenOf: own, on: today.adding(days: days))
                #expect((day.status, day.code) == (403, "chart_restricted"), "\(days)")
            }
            let elsewhere = try await Self.begun(host, patient, tokenOf: other)
            #expect((elsewhere.status, elsewhere.code) == (403, "chart_restricted"))
            // Nothing of this made a relation.
            #expect(try await host.send("GET", "/v1/patients/\(patient)", as: .doctor).status == 403)

            #expect(try await Self.begun(host, patient, tokenOf: own).status == 201)
            #expect(try await host.send("GET", "/v1/patients/\(patient)", as: .doctor).status == 200)
        }
    }

    @Test func `A booking opens a chart on its day and not when it was cancelled`() async throws {
        try await withClinical { host in
            let patient = try await Self.stranger(host)
            let own = try await Self.listed(host, as: host.account(.doctor))
            let today = Self.today(host)
            @LoopActor func begun(_ status: String, _ day: LocalDate) async throws -> Int {
                let id = AppointmentID()
                host.cards["scheduling", "/internal/cards/appointments/\(id)"] = .body(
                    ("appointmentId", .string("\(id)")), ("patientId", .string("\(patient)")), ("providerId", .string("\(own)")),
                    ("status", .string(status)), ("locationId", .string("\(host.location)")), ("localDate", .string("\(day)")))
                return try await host.send(
                    "POST", "/v1/visits",
                    body: .body(("patientId", .string("\(patient)")), ("appointmentId", .string("\(id)"))), as: .doctor
                ).status
            }
            for (status, days) in [("cancelled", 0), ("noshow", 0), ("booked", -1), ("booked", 30)] {
                #expect(try await begun(status, today.adding(days: days)) == 403, "\(status) \(days)")
            }
            #expect(try await begun("booked", today) == 201)
        }
    }

    @Test func `Who came to a colleague is seen where the rule opens the site's charts, and by nurses`() async throws {
        try await withClinical { host in
            let patient = try await Self.stranger(host)
            let other = try await Self.listed(host, as: AccountID())
            #expect(try await Self.begun(host, patient, tokenOf: other).status == 403)
            let far = LocationID()
            host.cards["auth", "/internal/cards/locations/\(far)"] = .body(("zone", .string("Asia/Kolkata")))
            #expect(try await Self.begun(host, patient, tokenOf: other, at: far, as: .nurse).status == 403)
            #expect(try await Self.begun(host, patient, tokenOf: other, as: .nurse).status == 201)

            let second = try await Self.stranger(host, "location")
            #expect(try await Self.begun(host, second, tokenOf: other, at: far).status == 403)
            #expect(try await Self.begun(host, second, tokenOf: other).status == 201)
        }
    }

    @Test func `Coming does not open a restricted chart`() async throws {
        try await withClinical { host in
            let patient = try await Self.stranger(host, "tenant")
            let locked = try await host.send(
                "PUT", "/v1/patients/\(patient)/restriction", body: .body(("restricted", .bool(true))), as: .admin)
            #expect(locked.status == 204)
            let other = try await Self.listed(host, as: AccountID())
            for role in [Role.doctor, .nurse] {
                let came = try await Self.begun(host, patient, tokenOf: other, as: role)
                #expect((came.status, came.code) == (403, "chart_restricted"), "\(role)")
                let plain = try await host.send(
                    "POST", "/v1/visits", body: .body(("patientId", .string("\(patient)"))), as: role)
                #expect((plain.status, plain.code) == (403, "chart_restricted"), "\(role)")
            }
        }
    }

    // MARK: what ends

    @LoopActor private static func booked(
        _ host: TestHost, _ id: AppointmentID, _ patient: PatientID, _ provider: ProviderID, days: Int64 = 1
    ) -> AppointmentBooked {
        let start = host.clock.now.adding(seconds: days * 86_400)
        return AppointmentBooked(
            appointmentID: id, patientID: patient, providerID: provider, locationID: LocationID(), slotID: SlotID(),
            start: start, end: start.adding(seconds: 900), localDate: (Zone("Asia/Kolkata") ?? .utc).localDate(of: start),
            modality: "in_person", priority: "routine")
    }

    @LoopActor private static func cancelled(
        _ host: TestHost, _ id: AppointmentID, _ patient: PatientID, _ provider: ProviderID
    ) -> AppointmentCancelled {
        AppointmentCancelled(
            appointmentID: id, patientID: patient, providerID: provider, start: host.clock.now,
            localDate: today(host), cancelledBy: "reception")
    }

    @Test func `An appointment opens a chart until some days after it, and not once cancelled`() async throws {
        try await withClinical { host in
            let patient = try await Self.stranger(host)
            let own = try await Self.listed(host, as: host.account(.doctor))
            let path = "/v1/patients/\(patient)"
            // A week and an hour ago; then tomorrow.
            try await host.react(to: Self.booked(host, AppointmentID(), patient, own, days: -8))
            #expect(try await host.send("GET", path, as: .doctor).status == 403)
            let first = AppointmentID(), second = AppointmentID()
            try await host.react(to: Self.booked(host, first, patient, own))
            try await host.react(to: Self.booked(host, second, patient, own))
            #expect(try await host.send("GET", path, as: .doctor).status == 200)

            try await host.react(to: Self.cancelled(host, first, patient, own), revision: 2)
            #expect(try await host.send("GET", path, as: .doctor).status == 200, "the other one is still booked")
            try await host.react(to: Self.cancelled(host, second, patient, own), revision: 2)
            #expect(try await host.send("GET", path, as: .doctor).status == 403)
            // Facts come in any order, and twice.
            try await host.react(to: Self.booked(host, second, patient, own))
            let late = AppointmentID()
            try await host.react(to: Self.cancelled(host, late, patient, own), revision: 2)
            try await host.react(to: Self.booked(host, late, patient, own))
            #expect(try await host.send("GET", path, as: .doctor).status == 403)
        }
    }

    @Test func `An appointment that moved to a colleague opens the chart to the colleague alone`() async throws {
        try await withClinical { host in
            let patient = try await Self.stranger(host)
            let own = try await Self.listed(host, as: host.account(.doctor))
            let colleague = AccountID()
            let other = try await Self.listed(host, as: colleague)
            let bearer = try host.token(.doctor, account: colleague)
            let path = "/v1/patients/\(patient)"
            let id = AppointmentID()
            try await host.react(to: Self.booked(host, id, patient, own))
            #expect(await host.send("GET", path, bytes: [], bearer: bearer).status == 403)

            let start = host.clock.now.adding(seconds: 172_800)
            let moved = AppointmentRescheduled(
                appointmentID: id, patientID: patient, providerID: other, locationID: LocationID(), slotID: SlotID(),
                start: start, end: start.adding(seconds: 900), localDate: Self.today(host).adding(days: 2),
                previousStart: host.clock.now, modality: "in_person", priority: "routine")
            try await host.react(to: moved, revision: 2)
            #expect(try await host.send("GET", path, as: .doctor).status == 403)
            #expect(await host.send("GET", path, bytes: [], bearer: bearer).status == 200)
        }
    }

    @Test func `A visit opens a chart for two years, and the next one for two more`() async throws {
        try await withClinical { host in
            let patient = try await Self.stranger(host)
            let own = try await Self.listed(host, as: host.account(.doctor))
            host.clock.advance(seconds: -800 * 86_400)
            let visit: VisitID = try await Self.begun(host, patient, tokenOf: own).json.required("id")
            host.clock.advance(seconds: 800 * 86_400)
            #expect(try await host.send("GET", "/v1/visits/\(visit)", as: .doctor).status == 403)
            #expect(try await host.send("GET", "/v1/patients/\(patient)", as: .nurse).status == 403, "nor to the site it was at")

            try await host.react(to: Self.booked(host, AppointmentID(), patient, own, days: 0))
            #expect(try await host.send("POST", "/v1/visits/\(visit)/complete", as: .doctor).status == 200)
            #expect(try await Self.begun(host, patient, tokenOf: own).status == 201)
            try await host.database.asOwner(
                "alter table care_relation no force row level security; delete from care_relation where kind = 'appointment'; alter table care_relation force row level security")
            #expect(try await host.send("GET", "/v1/visits/\(visit)", as: .doctor).status == 200)
        }
    }

    @Test func `A visit begun on a broken glass leaves a door for a day, not for years`() async throws {
        try await withClinical { host in
            let patient = try await Self.stranger(host)
            let reason = JSONObject.body(("reason", .string("Unconscious in the emergency room")))
            #expect(try await host.send("POST", "/v1/patients/\(patient)/break-glass", body: reason, as: .doctor).status == 201)
            let visit = try await host.begun(patient)
            try await host.database.asOwner(
                "alter table glass_grant no force row level security; delete from glass_grant; alter table glass_grant force row level security")
            #expect(try await host.send("GET", "/v1/visits/\(visit)", as: .doctor).status == 200, "it is being written down")
            let days = try await host.host.db.reader(for: host.tenant).first(
                "select extract(epoch from ends_at - \(host.clock.now))::bigint from care_relation where patient_id = \(patient)",
                as: { try $0.next(as: Int.self) })
            #expect(days == 86_400)
        }
    }

    @Test func `A referral needs somebody who is there, and ends`() async throws {
        try await withClinical { host in
            let patient = try await Self.stranger(host)
            let own = try await Self.listed(host, as: host.account(.doctor))
            try await host.react(to: Self.booked(host, AppointmentID(), patient, own))
            let colleague = AccountID()
            let body = JSONObject.body(("accountId", .string("\(colleague)")))
            let nobody = try await host.send("POST", "/v1/patients/\(patient)/referrals", body: body, as: .doctor)
            #expect((nobody.status, nobody.code) == (422, "colleague_unknown"))
            try await host.react(to: host.hired(colleague))
            #expect(try await host.send("POST", "/v1/patients/\(patient)/referrals", body: body, as: .doctor).status == 204)
            let bearer = try host.token(.doctor, account: colleague)
            #expect(await host.send("GET", "/v1/patients/\(patient)", bytes: [], bearer: bearer).status == 200)
            try await host.database.asOwner(
                "alter table care_relation no force row level security; update care_relation set ends_at = ends_at - interval '90 days'; alter table care_relation force row level security")
            #expect(await host.send("GET", "/v1/patients/\(patient)", bytes: [], bearer: bearer).status == 403)
        }
    }
}
