import Access
import Bootstrap
import Contracts
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// What a person agreed to: for which purpose, in which version of which words, when, before whom, and until when.
///
/// A consent is never edited: it is withdrawn, and another one is given.
@LoopActor struct ConsentRoutes {
    let host: Host

    /// The purposes of use that somebody may agree to (HL7 v3 PurposeOfUse, in our words).
    enum Purpose: String, CaseIterable, Sendable, JSONReadable, JSONWritable, SQLReadable, SQLBindable {
        case treatment, billing, reminders, teleconsultation, research, marketing, sharing

        /// Those that hold something back here (docs/decisions/0043-consents-that-bind.md). The others were recorded before and bound
        /// nobody: they are shown and withdrawn, and no new ones are taken, because a record without effect is a false promise.
        static let binding: [Purpose] = [.reminders, .teleconsultation, .sharing]
    }

    var table: [Route] {
        [
            .get(
                "/v1/patients/:id/consents", for: .manageConsents,
                .init("List what a patient agreed to", answers: [(200, .object([.required("items", .list(of: Self.consent, max: 1000))]))]),
                list),
            .post(
                "/v1/patients/:id/consents", for: .manageConsents,
                .init(
                    "Record a patient's consent",
                    body: .object([
                        .required("purpose", .choice(Purpose.binding.map(\.rawValue))),
                        .required("document", .text(max: 100), "The name of the words agreed to"),
                        .required("documentVersion", .text(max: 40)),
                    ]), answers: [(201, Self.consent)], problems: ["consent_given"]), give),
            .delete(
                "/v1/patients/:id/consents/:consent", for: .manageConsents,
                .init("Withdraw a consent; the record of it stays", answers: [(204, nil)]), withdraw),
        ]
    }

    static let consent = Schema.object([
        .required("id", .id), .required("purpose", .choice(Purpose.allCases.map(\.rawValue))),
        .required("document", .text(max: 100)), .required("documentVersion", .text(max: 40)),
        .required("givenBy", .id), .required("givenAt", .instant), .optional("withdrawnBy", .id),
        .optional("withdrawnAt", .instant),
    ])

    private func list(_ request: Request, _ caller: Principal) async throws -> Response {
        let patient = try await known(request, caller)
        let consents = try await Self.all(of: patient, caller.identityScope, host.db.reader(for: caller.tenant))
        caller.trail?.read("consent_list", patient.description, of: patient, on: caller.ground)
        return .json(200, Page(items: consents))
    }

    private struct Page: JSONWritable {
        let items: [Consent]
        func write(to json: inout JSONWriter) { json.object { $0.field("items", items) } }
    }

    static func all(
        of patient: PatientID, _ scope: PatientScope, _ sql: any SQLSession
    ) async throws -> [Consent] {
        try await sql.all(
            """
            select c.id, c.purpose, c.document, c.document_version, c.given_by, c.given_at, c.withdrawn_by, c.withdrawn_at
            from consent c join patient p on p.id = c.patient_id
            where c.patient_id = \(patient) and \(scope.clause) order by c.id
            """, as: Consent.init(row:))
    }

    private func give(_ request: Request, _ caller: Principal) async throws -> Response {
        let patient = try await known(request, caller)
        let consent = Consent(
            id: ID(), purpose: try request.body.required("purpose"), document: try request.body.required("document"),
            documentVersion: try request.body.required("documentVersion"), givenBy: caller.account, givenAt: host.now(),
            withdrawnBy: nil, withdrawnAt: nil)
        return try await host.write(request, by: caller) { tx in
            let added = try await tx.run(
                """
                insert into consent (id, patient_id, purpose, document, document_version, given_by, given_at)
                values (\(consent.id), \(patient), \(consent.purpose), \(consent.document), \(consent.documentVersion),
                        \(consent.givenBy), \(consent.givenAt))
                on conflict do nothing
                """)
            guard added == 1 else {
                throw Problem.conflict("consent_given", "This purpose has a standing consent. Withdraw it first.")
            }
            try tx.announce(
                ConsentChanged(
                    consentID: consent.id, patientID: patient, purpose: consent.purpose.rawValue, isGiven: true, at: consent.givenAt),
                revision: 1)
            try tx.audit(
                "give_consent", "patient", patient.description, of: patient,
                after: JSONObject([("consentId", .string(consent.id.description)), ("purpose", .string(consent.purpose.rawValue))]))
            return .created(consent, version: 1, at: "/v1/patients/\(patient)/consents/\(consent.id)")
        }
    }

    private func withdraw(_ request: Request, _ caller: Principal) async throws -> Response {
        let patient = try await known(request, caller)
        let id: ID<ConsentKind> = try request.id("consent")
        let now = host.now()
        return try await host.write(request, by: caller) { tx in
            let purpose = try await tx.first(
                """
                update consent c set withdrawn_by = \(caller.account), withdrawn_at = \(now)
                from patient p
                where c.id = \(id) and c.patient_id = \(patient) and c.withdrawn_at is null
                  and p.id = c.patient_id and \(caller.identityScope.clause)
                returning c.purpose
                """, as: { try $0.next(as: String.self) })
            if let purpose {
                try tx.announce(
                    ConsentChanged(consentID: id, patientID: patient, purpose: purpose, isGiven: false, at: now), revision: 2)
                try tx.audit(
                    "withdraw_consent", "patient", patient.description, of: patient,
                    after: JSONObject([("consentId", .string(id.description))]))
            } else {
                let isThere = try await tx.first(
                    "select true from consent where id = \(id) and patient_id = \(patient)", as: { try $0.next(as: Bool.self) })
                guard isThere == true else { throw Problem.notFound("consent") }
            }
            return .noContent
        }
    }

    private func known(_ request: Request, _ caller: Principal) async throws -> PatientID {
        let patient: PatientID = try request.id("id")
        let store = PatientStore(sql: host.db.reader(for: caller.tenant), scope: caller.identityScope)
        guard try await store.find(patient) != nil else { throw Problem.notFound("patient") }
        return patient
    }
}

struct Consent: JSONWritable, Sendable {
    let id: ID<ConsentKind>
    let purpose: ConsentRoutes.Purpose
    let document: String
    let documentVersion: String
    let givenBy: AccountID
    let givenAt: Timestamp
    let withdrawnBy: AccountID?
    let withdrawnAt: Timestamp?

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("id", id)
            $0.field("purpose", purpose)
            $0.field("document", document)
            $0.field("documentVersion", documentVersion)
            $0.field("givenBy", givenBy)
            $0.field("givenAt", givenAt)
            $0.field("withdrawnBy", withdrawnBy)
            $0.field("withdrawnAt", withdrawnAt)
        }
    }
}

extension Consent {
    init(row: inout Row) throws {
        id = try row.next()
        purpose = try row.next()
        document = try row.next()
        documentVersion = try row.next()
        givenBy = try row.next()
        givenAt = try row.next()
        withdrawnBy = try row.next()
        withdrawnAt = try row.next()
    }
}

extension Consent {
    /// What a person stands by now.
    @LoopActor static func standing(of patient: PatientID, _ sql: any SQLSession) async throws -> [ConsentRoutes.Purpose] {
        try await sql.all(
            "select purpose from consent where patient_id = \(patient) and withdrawn_at is null order by purpose", as: { try $0.next() })
    }
}
