import Access
import Bootstrap
import Cryptography
import HTTP
import JSON
import Loop
import Postgres
import Primitives
import TestSupport
import Testing

@testable import Auth

struct ProxyTests {
    @Test func `A daughter acts for her father by what the desk has seen, until it ends`() async throws {
        try await Clinic.with { clinic in
            let father = PatientID()
            clinic.host.cards["clinical", "/internal/cards/patients/\(father)"] = JSONObject([
                ("patientId", .string(father.description)), ("active", .bool(true)),
            ])
            let daughter = try await clinic.add("leela@demo.example", "proxy")
            #expect(try await clinic.actsFor("leela@demo.example").isEmpty)
            let granted = await clinic.grant(daughter, father)
            #expect(granted.status == 201)
            #expect(await clinic.grant(daughter, father).code == "proxy_exists")
            #expect(try await clinic.actsFor("leela@demo.example") == [father])

            let before = try await clinic.signIn("leela@demo.example")
            clinic.host.clock.advance(seconds: 1)
            let id: String = try granted.json.required("id")
            #expect(await clinic.delete("/v1/auth/proxies/\(id)").status == 204)
            #expect(await clinic.get("/v1/auth/me", as: before).code == "token_revoked")
            #expect(await clinic.refresh(before.refresh).status == 401)
            // The other services hear of it by the sessions that end.
            let ended = try await clinic.host.announced().filter { $0.type == "auth.session.ended.v1" }
            #expect(ended.contains { $0.data["reason"] == .string("roles_changed") })
            clinic.host.clock.advance(seconds: 1)
            #expect(try await clinic.actsFor("leela@demo.example").isEmpty)
        }
    }

    @Test func `Who signs in while the grant is taken back has a token without it, or none that is good`() async throws {
        try await Clinic.with { clinic in
            let father = PatientID()
            clinic.host.cards["clinical", "/internal/cards/patients/\(father)"] = JSONObject([("active", .bool(true))])
            let daughter = try await clinic.add("leela@demo.example", "proxy")
            for _ in 0..<4 {
                let id: String = try await clinic.grant(daughter, father).json.required("id")
                let logins = (0..<4).map { _ -> @LoopActor @Sendable () async throws -> TestHost.Answer in
                    { try await clinic.login("leela@demo.example") }
                }
                let revocation: @LoopActor @Sendable () async throws -> TestHost.Answer = {
                    await clinic.delete("/v1/auth/proxies/\(id)")
                }
                let answers = try await together(logins + [revocation])
                clinic.host.clock.advance(seconds: 1)
                for answer in answers where answer.status == 200 {
                    let pair = try Clinic.read(answer)
                    let again = await clinic.refresh(pair.refresh)
                    guard again.status == 200 else { continue }
                    #expect(try Clinic.actsFor(token: pair.access).isEmpty)
                }
            }
        }
    }

    @Test func `Nobody gives themselves somebody's record, and staff are no proxies`() async throws {
        try await Clinic.with { clinic in
            let patient = PatientID()
            clinic.host.cards["clinical", "/internal/cards/patients/\(patient)"] = JSONObject([("active", .bool(true))])
            #expect(await clinic.grant(clinic.admin.id, patient).code == "own_grant")
            let nurse = try await clinic.add("nisha@demo.example", "nurse")
            #expect(await clinic.grant(nurse, patient).code == "not_a_proxy")
            let proxy = try await clinic.add("leela@demo.example", "proxy")
            #expect(await clinic.grant(proxy, PatientID()).code == "patient_unknown")
            let who = try await clinic.signIn("leela@demo.example")
            #expect(await clinic.grant(proxy, patient, as: who).status == 403)
        }
    }

    @Test func `It holds from its first to its last day`() throws {
        let day = LocalDate(daysSinceEpoch: 20_000)
        let grant = try ProxyGrant.grant(
            to: AccountID(), for: PatientID(), as: .guardian, proof: .courtOrder, from: day, until: day.adding(days: 2),
            by: AccountID(), asPatient: false, at: Timestamp(microseconds: 0))
        #expect((-1...3).map { grant.holds(on: day.adding(days: $0)) } == [false, true, true, true, false])
        #expect(throws: ProxyError.endsBeforeItBegins) {
            try ProxyGrant.grant(
                to: AccountID(), for: PatientID(), as: .child, proof: .patientConsent, from: day, until: day.adding(days: -1),
                by: AccountID(), asPatient: false, at: Timestamp(microseconds: 0))
        }
    }

    @Test func `Who acts for a child does so until a day, within eighteen years`() throws {
        let day = LocalDate(daysSinceEpoch: 20_000)
        func grant(_ relation: ProxyGrant.Relation, _ proof: ProxyGrant.Proof, until: LocalDate?) throws(ProxyError) {
            _ = try ProxyGrant.grant(
                to: AccountID(), for: PatientID(), as: relation, proof: proof, from: day, until: until, by: AccountID(),
                asPatient: false, at: Timestamp(microseconds: 0))
        }
        let ofChildren: [(ProxyGrant.Relation, ProxyGrant.Proof)] = [
            (.parent, .identitySeen), (.parent, .birthCertificate), (.guardian, .courtOrder), (.other, .birthCertificate),
        ]
        for (relation, proof) in ofChildren {
            #expect(throws: ProxyError.endMissing) { try grant(relation, proof, until: nil) }
            #expect(throws: ProxyError.endTooLate) { try grant(relation, proof, until: day.adding(days: 6_576)) }
            try grant(relation, proof, until: day.adding(days: 6_575))
        }
        try grant(.child, .patientConsent, until: nil)
        try grant(.spouse, .powerOfAttorney, until: day.adding(days: 20_000))
    }

    @Test func `The table itself keeps no parent without an end`() async throws {
        try await Clinic.with { clinic in
            let proxy = try await clinic.add("leela@demo.example", "proxy")
            for until: LocalDate? in [nil, LocalDate(daysSinceEpoch: 26_576 + 365)] {
                let error = await #expect(throws: PostgresError.self) {
                    try await clinic.host.host.db.transaction(for: clinic.admin.tenant) { tx in
                        let vault = try await Vaults(masterKeys: clinic.host.host.config.masterKeys).vault(of: clinic.admin.tenant, tx)
                        try await ProxyGrantStore(sql: tx, vault: vault).insert(
                            ProxyGrant(
                                id: ID(), account: proxy, patient: PatientID(), relation: .parent, proof: .birthCertificate,
                                from: LocalDate(daysSinceEpoch: 20_000), until: until, grantedBy: clinic.admin.id,
                                grantedAt: clinic.host.clock.now))
                    }
                }
                #expect(error?.constraint == "proxy_grant_of_a_child_has_an_end")
            }
        }
    }

    @Test func `Last days of before they were sealed are sealed, and stay the days that they were`() async throws {
        try await Clinic.with { clinic in
            let proxy = try await clinic.add("leela@demo.example", "proxy")
            let vaults = Vaults(masterKeys: clinic.host.host.config.masterKeys)
            let last = LocalDate(daysSinceEpoch: 26_000)
            try await clinic.host.host.db.transaction(for: clinic.admin.tenant) { tx in
                _ = try await tx.run(
                    """
                    insert into proxy_grant (id, account_id, patient_id, relation, proof, valid_from, valid_until, granted_by,
                                             granted_at)
                    values (\(ID<ProxyGrant>()), \(proxy), \(PatientID()), 'parent', 'birth_certificate',
                            \(LocalDate(daysSinceEpoch: 20_000)), \(last), \(clinic.admin.id), \(clinic.host.clock.now))
                    """)
            }
            try await SealLastDays(host: clinic.host.host, vaults: vaults).sweep()
            let reader = clinic.host.host.db.reader(for: clinic.admin.tenant)
            let store = ProxyGrantStore(sql: reader, vault: try await vaults.vault(of: clinic.admin.tenant, reader))
            #expect(try await store.list(patient: nil, account: proxy).map(\.until) == [last])
            let inClear = try await reader.first(
                "select valid_until from proxy_grant where last_day is not null", as: { try $0.next(as: LocalDate.self) })
            #expect(inClear == LocalDate(year: last.year, month: 12, day: 31) && inClear != last)
        }
    }

    @Test func `As the patient one gives nothing but one's consent`() throws {
        let day = LocalDate(daysSinceEpoch: 20_000)
        #expect(throws: ProxyError.proofOfTheDesk) {
            try ProxyGrant.grant(
                to: AccountID(), for: PatientID(), as: .child, proof: .courtOrder, from: day, until: nil, by: AccountID(),
                asPatient: true, at: Timestamp(microseconds: 0))
        }
    }
}

extension Clinic {
    func grant(_ account: AccountID, _ patient: PatientID, as who: SignedIn? = nil) async -> TestHost.Answer {
        await post(
            "/v1/auth/proxies",
            JSONObject([
                ("accountId", .string(account.description)), ("patientId", .string(patient.description)),
                ("relation", .string("child")), ("proof", .string("identity_seen")),
            ]), as: who)
    }

    /// What a fresh token says.
    func actsFor(_ email: String) async throws -> [PatientID] {
        try Self.actsFor(token: try await signIn(email).access)
    }

    static func actsFor(token: String) throws -> [PatientID] {
        let part = token.split(separator: ".")[1]
        guard case .object(let claims) = try JSONValue.parse(Base64URL.decode(String(part)) ?? []) else { return [] }
        return try claims.optional("for") ?? []
    }
}
