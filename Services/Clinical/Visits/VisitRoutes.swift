import Access
import Bootstrap
import Contracts
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// Beginning, recording, reading and signing visits.
@LoopActor struct VisitRoutes {
    let host: Host
    let keys: TenantKeys
    let care: CareTerms

    var table: [Route] {
        [
            .post(
                "/v1/visits", for: .conductVisits,
                .init(
                    "Begin a visit", body: .newVisit, answers: [(201, .visit)],
                    problems: [
                        "visit_open", "patient_unknown", "patient_inactive", "token_unknown", "token_mismatch", "chart_restricted",
                        "practitioner_unlicensed", "consent_missing",
                    ]),
                start),
            .get("/v1/visits/:id", for: .readVisits, .init("Read a visit", answers: [(200, .visit)]), show),
            .patch(
                "/v1/visits/:id", for: .recordVisits,
                .init(
                    "Record what was measured, found and decided (nurses: vitals only)", body: .visitPatch,
                    answers: [(200, .visit)], problems: ["visit_signed"], isMergePatch: true), record),
            .post(
                "/v1/visits/:id/complete", for: .completeVisits,
                .init(
                    "Sign a visit: it never changes again", answers: [(200, .visit)],
                    problems: ["visit_signed", "practitioner_unlicensed"]), complete),
            .get(
                "/v1/patients/:id/visits", for: .readPatients,
                .init("List a patient's visits, newest first", query: .paging, answers: [(200, .page(of: .visit))]),
                history),
        ]
    }

    private func start(_ request: Request, _ caller: Principal) async throws -> Response {
        let patient: PatientID = try request.body.required("patientId")
        let now = host.now()
        // A nurse begins a visit without one: the doctor who signs it has it.
        if caller.has(.doctor) { try await requireLicence(of: caller, at: now) }
        let arrival = try await VisitArrival(host: host, caller: caller).check(request.body, patient: patient)
        let ring = try await keys.ring(for: caller.tenant)

        return try await host.write(request, by: caller) { tx in
            guard let (row, scope) = try await seen(patient, arrival.presence, by: caller, tx) else {
                let refusal = try await ChartRefusal(sql: tx, scope: caller.chartScope).patient(patient)
                throw refusal.status == 404 ? VisitError.patientUnknown : refusal
            }
            guard row.active else { throw VisitError.patientInactive }
            let visit = Visit(
                id: VisitID(), patient: patient, practitioner: caller.account, location: caller.location,
                localDate: caller.today(at: now), token: arrival.token, appointment: arrival.appointment, startedAt: now)
            let findings = try row.vault(ring, scope)
                .seal(visit.findings.stored, "visit", "findings", row: visit.id.description)
            try await VisitStore(sql: tx, scope: scope).insert(visit, findings: findings)
            let term = row.ground == ReadTrail.brokenGlass ? CareTerms.afterBrokenGlass : care.afterVisit
            try await CareStore(sql: tx).remember(
                patient, with: caller.account, at: caller.location, .visit, until: care.end(of: now, term))
            try tx.announce(visit.started, revision: visit.version)
            try tx.audit(
                "start", "visit", visit.id.description, of: patient,
                after: JSONObject([
                    ("patientId", .string(patient.description)), ("status", .string(visit.status.rawValue)),
                ]))
            return .created(VisitView(visit: visit), version: visit.version, at: "/v1/visits/\(visit.id)")
        }
    }

    /// The patient as the caller may see them: by the chart, or because they are here today for the caller, or for
    /// somebody of a site whose charts open to the caller. A restricted chart is not opened by coming.
    private func seen(
        _ patient: PatientID, _ presence: VisitArrival.Presence?, by caller: Principal, _ tx: Transaction
    ) async throws -> (row: SealedPatient, scope: PatientScope)? {
        let chart = caller.chartScope
        if let row = try await PatientStore(sql: tx, scope: chart).find(patient) { return (row, chart) }
        guard let presence else { return nil }
        if !presence.isOwn {
            guard presence.location == caller.location,
                try await tx.first("select \(chart.seesSite)", as: { try $0.next(as: Bool.self) }) == true
            else { return nil }
        }
        let desk = caller.deskScope
        guard let row = try await PatientStore(sql: tx, scope: desk).find(patient), !row.restricted else { return nil }
        return (row, desk)
    }

    private func show(_ request: Request, _ caller: Principal) async throws -> Response {
        let sql = host.db.reader(for: caller.tenant)
        let scope = caller.chartScope
        let id: VisitID = try request.id("id")
        guard let row = try await VisitStore(sql: sql, scope: scope).find(id),
            let ring = try await keys.existing(caller.tenant)
        else { throw try await ChartRefusal(sql: sql, scope: scope).visit(id) }
        let vault = try row.vault(ring, scope)
        scope.trail?.read("visit", id.description, of: row.patient, on: row.ground)
        let addenda =
            row.status == .completed ? try await VisitWordsStore(sql: sql, vault: vault).addenda(of: row.id) : nil
        return .json(200, VisitView(visit: try row.open(vault), addenda: addenda), version: row.version)
    }

    private func record(_ request: Request, _ caller: Principal) async throws -> Response {
        // A nurse measures; what was found and decided is the doctor's to write.
        if !caller.has(.doctor), request.body.members.contains(where: { $0.name != "vitals" }) {
            throw Problem.forbidden
        }
        let id: VisitID = try request.id("id")
        let version = try request.ifMatch()
        try refuseEmptyDiagnoses(in: request.body)
        let ring = try await keys.ring(for: caller.tenant)

        return try await host.write(request, by: caller) { tx in
            let scope = caller.chartScope
            let store = VisitStore(sql: tx, scope: scope)
            guard let row = try await store.findForUpdate(id) else {
                throw try await ChartRefusal(sql: tx, scope: scope).visit(id)
            }
            guard row.status == .inProgress else { throw VisitError.signed }
            guard row.version == version else { throw Problem.staleVersion }
            let vault = try row.vault(ring, scope)
            var visit = try row.open(vault)
            let before = visit
            let merged = visit.document.merged(with: request.body)
            let changed = try visit.record(try Findings(data: merged).tidied, try merged.optional("vitals") ?? Vitals())
            guard !changed.isEmpty else {
                scope.trail?.read("visit", id.description, of: row.patient, on: row.ground)
                return .json(200, VisitView(visit: visit), version: visit.version)
            }

            let findings = try vault.seal(visit.findings.stored, "visit", "findings", row: id.description)
            let former = try VersionStore(vault: vault).insert(
                version, of: id, by: caller.account, FormerVersion.body(FormerVisit(visit: before), changed: changed))
            guard try await store.update(visit, from: version, findings: findings, keeping: former) else {
                throw Problem.staleVersion
            }
            try await store.saveVitals(visit.vitals, after: before.vitals, of: id, by: caller.account, vault)
            try tx.audit(
                "update", "visit", id.description, of: row.patient, before: JSONObject([("version", .int(Int64(before.version)))]),
                after: JSONObject([
                    ("version", .int(Int64(visit.version))), ("changed", .array(changed.map { .string($0) })),
                ]))
            return .json(200, VisitView(visit: visit), version: visit.version)
        }
    }

    private func complete(_ request: Request, _ caller: Principal) async throws -> Response {
        let id: VisitID = try request.id("id")
        let now = host.now()
        try await requireLicence(of: caller, at: now)
        let ring = try await keys.ring(for: caller.tenant)

        return try await host.write(request, by: caller) { tx in
            let scope = caller.chartScope
            guard let row = try await VisitStore(sql: tx, scope: scope).findForUpdate(id) else {
                throw try await ChartRefusal(sql: tx, scope: scope).visit(id)
            }
            let vault = try row.vault(ring, scope)
            var visit = try row.open(vault)
            let completed = try visit.complete(by: caller.account, at: now)
            let findings = try vault.seal(visit.findings.stored, "visit", "findings", row: id.description)
            try await SignVisit(vault: vault, scope: scope).sign(visit, from: row.version, findings: findings, at: now, in: tx)
            try tx.announce(completed, revision: visit.version)
            try tx.audit(
                "complete", "visit", id.description, of: row.patient,
                before: JSONObject([("status", .string(Visit.Status.inProgress.rawValue))]),
                after: JSONObject([("status", .string(visit.status.rawValue))]))
            return .json(200, VisitView(visit: visit), version: visit.version)
        }
    }

    /// To begin and to sign. In between nothing is lost: who had a licence at the beginning and has none any more still
    /// writes down what was seen, and another doctor signs.
    private func requireLicence(of caller: Principal, at now: Timestamp) async throws {
        try await RequireLicence(host: host)(of: caller, on: caller.today(at: now), orThrow: VisitError.unlicensed)
    }

    private func history(_ request: Request, _ caller: Principal) async throws -> Response {
        let patient: PatientID = try request.id("id")
        let limit = try request.query.optional("limit", as: Int.self) ?? 50
        let sql = host.db.reader(for: caller.tenant)
        let scope = caller.may(.readVisits) ? caller.chartScope : caller.deskScope
        guard let ground = try await PatientStore(sql: sql, scope: scope).ground(for: patient),
            let ring = try await keys.existing(caller.tenant)
        else { throw try await ChartRefusal(sql: sql, scope: scope).patient(patient) }
        scope.trail?.read("visit_list", patient.description, of: patient, on: ground)

        var last: (startedAt: Timestamp, id: VisitID)?
        if let cursor = try request.query.optional("cursor", as: String.self) {
            let parts = try Cursor.decode(cursor)
            guard parts.count == 2, let time = Timestamp(parts[0]), let id = VisitID(parts[1]) else {
                throw Problem.invalid("cursor", "invalid_cursor", "Use nextCursor of the page before.")
            }
            last = (time, id)
        }
        let rows = try await VisitStore(sql: sql, scope: scope).history(of: patient, before: last, limit: limit + 1)
        let lines = try rows.prefix(limit).map { row in
            VisitLine(row: row, visit: caller.may(.readVisits) ? try row.open(row.vault(ring, scope)) : nil)
        }
        let next =
            rows.count > limit
            ? lines.last.map { Cursor.encode([$0.row.startedAt.description, $0.row.id.description]) } : nil
        return .page(lines, next: next, of: request)
    }

    private func refuseEmptyDiagnoses(in body: JSONObject) throws {
        guard case .array(let diagnoses)? = body["diagnoses"] else { return }
        let empty = diagnoses.indices.filter { Diagnosis(json: diagnoses[$0]) == nil }
        if !empty.isEmpty {
            throw Problem.invalid(
                empty.map {
                    FieldError(pointer: "/diagnoses/\($0)", code: "required", detail: "A diagnosis has a code, words or both.")
                })
        }
    }
}

/// The one place where a visit's refusals become HTTP.
extension VisitError: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .signed:
            .conflict("visit_signed", "This visit is signed and never changes. Write an addendum instead.")
        case .unlicensed:
            .refused(
                "practitioner_unlicensed",
                "Your licence was not verified, or is no longer good. What is written so far is kept, and another doctor may sign it.")
        case .notSigned: .conflict("visit_not_signed", "This visit is not signed yet: correct the record itself.")
        case .alreadyOpen: .conflict("visit_open", "The patient has an open visit at this site. Continue or complete it.")
        case .pressureSwapped:
            .invalid("vitals/diastolic", "out_of_range", "The diastolic pressure is below the systolic one.")
        case .patientUnknown: .refused("patient_unknown", "There is no such patient.")
        case .patientInactive: .refused("patient_inactive", "The patient's record is closed. Open it first.")
        case .tokenUnknown: .refused("token_unknown", "There is no such token.")
        case .tokenMismatch: .refused("token_mismatch", "The token belongs to another patient.")
        case .appointmentUnknown: .refused("appointment_unknown", "There is no such appointment.")
        case .consentMissing:
            .refused("consent_missing", "The patient has not agreed to teleconsultation, or took it back. Record the consent, or see them here.")
        case .appointmentMismatch: .refused("appointment_mismatch", "The appointment belongs to another patient.")
        }
    }
}
