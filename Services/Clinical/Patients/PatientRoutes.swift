import Access
import Bootstrap
import Contracts
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// Registering, finding, reading, correcting and closing patients' records.
@LoopActor struct PatientRoutes {
    let host: Host
    let keys: TenantKeys
    let numbers: RecordNumbers

    var table: [Route] {
        [
            .post(
                "/v1/patients", for: .registerPatients,
                .init("Register a patient", body: .newPatient, answers: [(201, .patient)]), register),
            .get(
                "/v1/patients", for: .readPatients,
                .init(
                    "Search patients by name, phone or MRN, or list the newest",
                    query: [.optional("search", .text(min: 2, max: 100), "Misspelt names are found")] + .paging,
                    answers: [(200, .page(of: .patientLine))]),
                { try await list($0, $1, wanted: $0.query) }),
            // The same with the words in the body: addresses end in histories and in other people's logs.
            .post(
                "/v1/patients/search", for: .readPatients,
                .init(
                    "Search patients without a name in the address",
                    body: .object([.optional("search", .text(min: 2, max: 100), "Misspelt names are found")] + .paging),
                    answers: [(200, .page(of: .patientLine))]),
                { try await list($0, $1, wanted: $0.body) }),
            .get("/v1/patients/:id", for: .readPatients, .init("Read a patient's record", answers: [(200, .patient)]), show),
            .patch(
                "/v1/patients/:id", for: .changePatients,
                .init(
                    "Correct a patient's record: who they are and how to reach them", body: .patientPatch,
                    answers: [(200, .patient)], problems: ["health_recorded_elsewhere"], isMergePatch: true), change),
            .delete(
                "/v1/patients/:id", for: .inactivatePatients,
                .init("Close a record to new bookings; nothing is deleted", answers: [(204, nil)]), inactivate),
        ]
    }

    private func register(_ request: Request, _ caller: Principal) async throws -> Response {
        let now = host.now()
        let today = caller.today(at: now)
        let personal = try PatientForm.read(request.body, today: today)
        let ring = try await keys.ring(for: caller.tenant)

        return try await numbers.spend(of: caller.tenant) { mrn in
            try await host.write(request, by: caller) { tx in
                let patient = try await RegisterPatient(ring: ring, scope: caller.deskScope, location: caller.location)
                    .register(personal, numbered: mrn, at: now, today: today, in: tx)
                return .created(PatientView(patient), version: patient.version, at: "/v1/patients/\(patient.id)")
            }
        }
    }

    /// One statement, two openings, and the bytes go out as they were sealed.
    private func show(_ request: Request, _ caller: Principal) async throws -> Response {
        let id: PatientID = try request.id("id")
        let scope = caller.identityScope
        let sql = host.db.reader(for: caller.tenant)
        guard let row = try await PatientStore(sql: sql, scope: scope).find(id),
            let ring = try await keys.existing(caller.tenant)
        else { throw try await ChartRefusal(sql: sql, scope: scope).patient(id) }
        let personal = try row.open(ring, scope)
        scope.trail?.read("patient", id.description, of: id, on: row.ground)
        return .json(200, PatientView(row, personal: personal), version: row.version)
    }

    private func list(_ request: Request, _ caller: Principal, wanted: JSONObject) async throws -> Response {
        let limit = try wanted.optional("limit", as: Int.self) ?? 50
        let sql = host.db.reader(for: caller.tenant)
        // A line tells people apart and nothing more, so whoever may list may list all of the tenant.
        let scope = caller.deskScope
        guard let ring = try await keys.existing(caller.tenant) else {
            return .page([PatientLine](), next: nil, of: request)
        }
        if !caller.isOnlyPatient, let typed = try wanted.optional("search", as: String.self) {
            let found = try await PatientSearch(sql: sql, ring: ring, scope: scope).find(typed, limit: limit)
            scope.trail?.listed("patient_list", found.map(\.sealed.id), action: "search")
            return .page(found.map { PatientLine(row: $0.sealed, personal: $0.personal) }, next: nil, of: request)
        }
        var last: PatientID?
        if let cursor = try wanted.optional("cursor", as: String.self) {
            guard let id = try Cursor.decode(cursor).first.flatMap({ PatientID($0) }) else {
                throw Problem.invalid("cursor", "invalid_cursor", "Use nextCursor of the page before.")
            }
            last = id
        }
        let rows = try await PatientStore(sql: sql, scope: scope).newest(before: last, limit: limit + 1)
        let shown = try rows.prefix(limit).map { try line($0, ring, scope) }
        scope.trail?.listed("patient_list", shown.map(\.row.id))
        let next = rows.count > limit ? shown.last.map { Cursor.encode([$0.row.id.description]) } : nil
        return .page(shown, next: next, of: request)
    }

    private func line(_ row: SealedPatient, _ ring: KeyRing, _ scope: PatientScope) throws -> PatientLine {
        PatientLine(row: row, personal: try Personal(stored: row.open(ring, scope)))
    }

    private func change(_ request: Request, _ caller: Principal) async throws -> Response {
        let id: PatientID = try request.id("id")
        let version = try request.ifMatch()
        // Who may not see a list must not replace it, and prescriptions are checked against these.
        guard request.body["allergies"] == nil, request.body["conditions"] == nil else { throw Problem.healthRecordedElsewhere }
        let today = caller.today(at: host.now())
        let ring = try await keys.ring(for: caller.tenant)

        return try await host.write(request, by: caller) { tx in
            let scope = caller.identityScope
            let store = PatientStore(sql: tx, scope: scope)
            guard let row = try await store.findForUpdate(id) else {
                throw try await ChartRefusal(sql: tx, scope: scope).patient(id)
            }
            guard row.version == version else { throw Problem.staleVersion }
            let vault = try row.vault(ring, scope)
            let stored = try JSONObject(stored: vault.open(row.personal, "patient", "personal", row: id.description))
            let new = try PatientForm.read(stored.merged(with: request.body.without("active")), today: today)

            let old = Patient(row, personal: try Personal(data: stored))
            var patient = old
            if let changed = patient.change(to: new, active: try request.body.optional("active") ?? row.active) {
                try await ChangePatient(vault: vault, scope: scope, account: caller.account)
                    .save(patient, replacing: old, changed, in: tx)
                try await renewKeys(from: old.personal, to: new, of: id, ring, scope, tx)
            } else {
                scope.trail?.read("patient", id.description, of: id, on: row.ground)
            }
            return .json(200, PatientView(patient), version: patient.version)
        }
    }

    private func renewKeys(
        from old: Personal, to new: Personal, of id: PatientID, _ ring: KeyRing, _ scope: PatientScope,
        _ tx: Transaction
    ) async throws {
        let search = SearchKeys(ring: ring)
        let before = Set(search.stored(name: old.name, phone: old.phone))
        let after = Set(search.stored(name: new.name, phone: new.phone))
        guard before != after else { return }
        let store = PatientKeyStore(sql: tx, scope: scope)
        try await store.delete(before.subtracting(after).sorted(), of: id)
        try await store.insert(after.subtracting(before).sorted(), of: id)
    }

    private func inactivate(_ request: Request, _ caller: Principal) async throws -> Response {
        let id: PatientID = try request.id("id")
        let ring = try await keys.ring(for: caller.tenant)

        return try await host.write(request, by: caller) { tx in
            let scope = caller.identityScope
            let store = PatientStore(sql: tx, scope: scope)
            guard let row = try await store.findForUpdate(id) else {
                throw try await ChartRefusal(sql: tx, scope: scope).patient(id)
            }
            let old = Patient(row, personal: try Personal(stored: row.open(ring, scope)))
            var patient = old
            if let inactivated = patient.inactivate() {
                let former = try VersionStore(vault: row.vault(ring, scope)).insert(
                    old.version, of: id, by: caller.account, FormerVersion.body(FormerPatient(patient: old), changed: ["active"]))
                try await store.inactivate(patient, keeping: former)
                try tx.announce(inactivated, revision: patient.version)
                try tx.audit(
                    "inactivate", "patient", id.description, of: id,
                    before: JSONObject([("version", .int(Int64(old.version))), ("active", .bool(true))]),
                    after: JSONObject([("version", .int(Int64(patient.version))), ("active", .bool(false))]))
            }
            return .noContent
        }
    }
}

extension Problem {
    fileprivate static let healthRecordedElsewhere = refused(
        "health_recorded_elsewhere",
        "Allergies and conditions are added and retired by those who treat the patient: PATCH /v1/patients/{id}/health.")
}

extension Patient {
    init(_ row: SealedPatient, personal: Personal) {
        self.init(
            id: row.id, mrn: row.mrn, location: row.location, registeredAt: row.registeredAt, active: row.active,
            personal: personal, version: row.version, restricted: row.restricted)
    }
}
