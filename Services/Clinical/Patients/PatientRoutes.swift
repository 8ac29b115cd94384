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
                    answers: [(200, .page(of: .patientLine))]), list),
            .get("/v1/patients/:id", for: .readPatients, .init("Read a patient's record", answers: [(200, .patient)]), show),
            .patch(
                "/v1/patients/:id", for: .changePatients,
                .init("Correct a patient's record", body: .patientPatch, answers: [(200, .patient)], isMergePatch: true),
                change),
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
        let mrn = try await numbers.next(of: caller.tenant)

        return try await host.write(request, by: caller) { tx in
            let patient = try await RegisterPatient(ring: ring, tenant: caller.tenant, location: caller.location)
                .register(personal, numbered: mrn, at: now, today: today, in: tx)
            return .created(PatientView(patient), version: patient.version, at: "/v1/patients/\(patient.id)")
        }
    }

    /// One statement, two openings, and the bytes go out as they were sealed.
    private func show(_ request: Request, _ caller: Principal) async throws -> Response {
        let id: PatientID = try request.id("id")
        guard caller.mayKnow(id), let row = try await PatientStore(sql: host.db.reader(for: caller.tenant)).find(id),
            let ring = try await keys.existing(caller.tenant)
        else { throw Problem.notFound("patient") }
        return .json(200, PatientView(row, personal: try row.open(ring, caller.tenant)), version: row.version)
    }

    private func list(_ request: Request, _ caller: Principal) async throws -> Response {
        let limit = try request.query.optional("limit", as: Int.self) ?? 50
        let sql = host.db.reader(for: caller.tenant)
        guard let ring = try await keys.existing(caller.tenant) else {
            return .page([PatientLine](), next: nil, of: request)
        }
        if caller.isOnlyPatient {
            var own: SealedPatient?
            if let id = caller.patient { own = try await PatientStore(sql: sql).find(id) }
            return .page(try [own].compactMap { $0 }.map { try line($0, ring, caller) }, next: nil, of: request)
        }
        if let typed = try request.query.optional("search", as: String.self) {
            let found = try await PatientSearch(sql: sql, ring: ring, tenant: caller.tenant).find(typed, limit: limit)
            return .page(found.map { PatientLine(row: $0.sealed, personal: $0.personal) }, next: nil, of: request)
        }
        var last: PatientID?
        if let cursor = try request.query.optional("cursor", as: String.self) {
            guard let id = try Cursor.decode(cursor).first.flatMap({ PatientID($0) }) else {
                throw Problem.invalid("cursor", "invalid_cursor", "Use nextCursor of the page before.")
            }
            last = id
        }
        let rows = try await PatientStore(sql: sql).newest(before: last, limit: limit + 1)
        let shown = try rows.prefix(limit).map { try line($0, ring, caller) }
        let next = rows.count > limit ? shown.last.map { Cursor.encode([$0.row.id.description]) } : nil
        return .page(shown, next: next, of: request)
    }

    private func line(_ row: SealedPatient, _ ring: KeyRing, _ caller: Principal) throws -> PatientLine {
        PatientLine(row: row, personal: try Personal(stored: row.open(ring, caller.tenant)))
    }

    private func change(_ request: Request, _ caller: Principal) async throws -> Response {
        let id: PatientID = try request.id("id")
        let version = try request.ifMatch()
        let today = caller.today(at: host.now())
        let ring = try await keys.ring(for: caller.tenant)

        return try await host.write(request, by: caller) { tx in
            let store = PatientStore(sql: tx)
            guard let row = try await store.findForUpdate(id) else { throw Problem.notFound("patient") }
            guard row.version == version else { throw Problem.staleVersion }
            let vault = try row.vault(ring, caller.tenant)
            let stored = try JSONObject(stored: vault.open(row.personal, "patient", "personal", row: id.description))
            let new = try PatientForm.read(stored.merged(with: request.body.without("active")), today: today)

            var patient = Patient(row, personal: try Personal(data: stored))
            let old = patient.personal
            if let changed = patient.change(to: new, active: try request.body.optional("active") ?? row.active) {
                let sealed = try vault.seal(new.jsonBytes, "patient", "personal", row: id.description)
                guard try await store.update(patient, personal: sealed) else { throw Problem.staleVersion }
                try await renewKeys(from: old, to: new, of: id, ring, tx)
                try tx.announce(changed, revision: patient.version)
                try tx.audit(
                    "update", "patient", id.description, before: JSONObject([("active", .bool(row.active))]),
                    after: JSONObject([
                        ("active", .bool(patient.active)), ("changed", .array(changed.fields.map { .string($0) })),
                    ]))
            }
            return .json(200, PatientView(patient), version: patient.version)
        }
    }

    private func renewKeys(
        from old: Personal, to new: Personal, of id: PatientID, _ ring: KeyRing, _ tx: Transaction
    ) async throws {
        let search = SearchKeys(ring: ring)
        let before = Set(search.stored(name: old.name, phone: old.phone))
        let after = Set(search.stored(name: new.name, phone: new.phone))
        guard before != after else { return }
        let store = PatientKeyStore(sql: tx)
        try await store.delete(before.subtracting(after).sorted(), of: id)
        try await store.insert(after.subtracting(before).sorted(), of: id)
    }

    private func inactivate(_ request: Request, _ caller: Principal) async throws -> Response {
        let id: PatientID = try request.id("id")
        let ring = try await keys.ring(for: caller.tenant)

        return try await host.write(request, by: caller) { tx in
            let store = PatientStore(sql: tx)
            guard let row = try await store.findForUpdate(id) else { throw Problem.notFound("patient") }
            var patient = Patient(row, personal: try Personal(stored: row.open(ring, caller.tenant)))
            if let inactivated = patient.inactivate() {
                try await store.inactivate(patient)
                try tx.announce(inactivated, revision: patient.version)
                try tx.audit(
                    "inactivate", "patient", id.description, before: JSONObject([("active", .bool(true))]),
                    after: JSONObject([("active", .bool(false))]))
            }
            return .noContent
        }
    }
}

extension Patient {
    init(_ row: SealedPatient, personal: Personal) {
        self.init(
            id: row.id, mrn: row.mrn, location: row.location, registeredAt: row.registeredAt, active: row.active,
            personal: personal, version: row.version)
    }
}
