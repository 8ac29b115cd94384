import Access
import Bootstrap
import HTTP
import JSON
import Loop
import Postgres
import Primitives

/// Everything the suite keeps about one person, for that person: GDPR 15 (access) and 20 (portability).
///
/// The record itself as FHIR R4 resources and, because FHIR has no place for all of it, as we keep it; then what every
/// other service answers. One that cannot be asked makes the whole answer 503: half an export would look whole.
@LoopActor struct ExportRoutes {
    let host: Host
    let keys: TenantKeys

    static let others = ["auth", "scheduling", "queue", "pharmacy", "billing", "notifications", "reporting"]

    var table: [Route] {
        [
            .get(
                "/v1/patients/:id/export", for: .exportPatients,
                .init("Export everything about one patient", answers: [(200, .any)], problems: ["chart_restricted"]), export
            ).afterStepUp()
        ]
    }

    private func export(_ request: Request, _ caller: Principal) async throws -> Response {
        let id: PatientID = try request.id("id")
        let sql = host.db.reader(for: caller.tenant)
        // Nobody takes away what they may not read: a restricted chart is its patient's, or opens to a broken glass.
        let scope = caller.identityScope
        guard let row = try await PatientStore(sql: sql, scope: scope).find(id),
            let ring = try await keys.existing(caller.tenant)
        else { throw try await ChartRefusal(sql: sql, scope: scope).patient(id) }
        let record = try await PersonRecord.read(row, ring, scope, sql)
        var own: [(String, [UInt8])] = []
        for part in ownParts { own.append((part.name, try await part.read(id, caller))) }
        var parts: [(String, [UInt8])] = []
        for service in Self.others {
            parts.append((service, try await host.cards.askAll(service, "/internal/export/patients/\(id)", as: caller)))
        }
        let now = host.now()
        scope.trail?.read("patient", id.description, of: id, on: row.ground, action: "export")
        var response = Response.json(200, Export(record: record, own: own, at: now, parts: parts))
        response.headers.append(("Content-Disposition", "attachment; filename=\"record-\(id).json\""))
        return response
    }

    /// What is about the record and not in it: who may open it, who did without a right to, and how long it is kept.
    private var ownParts: [PersonExport.Part] {
        [
            .rows(of: "care_relation", host) { patient in "patient_id = \(patient)" },
            PersonExport.Part("privacy_request") { [host, keys] patient, caller in
                guard let ring = try await keys.existing(caller.tenant) else { return Array("[]".utf8) }
                let scope = caller.deskScope
                let store = PrivacyRequestStore(sql: host.db.reader(for: caller.tenant), scope: scope)
                let found = try await store.all(of: patient, limit: PersonExport.most + 1)
                try PersonExport.checkWhole(found.count)
                let today = caller.today(at: host.now())
                return try found.map { PrivacyRequestView(try $0.open(ring, scope), on: today) }.jsonBytes
            },
            .rows(of: "erasure", host) { patient in "patient_id = \(patient)" },
            .rows(of: "visit_snapshot", host, without: ["body"]) { patient in "patient_id = \(patient)" },
            PersonExport.Part("legal_hold") { [host] patient, caller in
                let held = try await host.db.reader(for: caller.tenant).first(
                    "select json_build_object('by', held_by, 'at', held_at)::text from patient where id = \(patient) and held_at is not null",
                    as: { Array(try $0.next(as: String.self).utf8) })
                return held ?? Array("null".utf8)
            },
        ]
    }

    private struct Export: JSONWritable {
        let record: PersonRecord
        let own: [(String, [UInt8])]
        let at: Timestamp
        let parts: [(String, [UInt8])]

        func write(to json: inout JSONWriter) {
            json.object {
                $0.field("patientId", record.patient.id)
                $0.field("exportedAt", at)
                $0.key("fhir")
                $0.value(FHIRRecord(record: record))
                $0.object("services") { services in
                    services.object("clinical") { clinical in
                        record.writeMembers(to: &clinical)
                        for (name, rows) in own {
                            clinical.key(name)
                            clinical.raw(rows)
                        }
                    }
                    for (name, part) in parts {
                        services.key(name)
                        services.raw(part)
                    }
                }
            }
        }
    }
}
