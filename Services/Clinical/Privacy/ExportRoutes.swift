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
                .init("Export everything about one patient", answers: [(200, .any)]), export
            ).afterStepUp()
        ]
    }

    private func export(_ request: Request, _ caller: Principal) async throws -> Response {
        let id: PatientID = try request.id("id")
        let sql = host.db.reader(for: caller.tenant)
        // All of it, a restricted chart too: it is the patient's, whoever hands it over.
        let scope = caller.deskScope
        guard let row = try await PatientStore(sql: sql, scope: scope).find(id),
            let ring = try await keys.existing(caller.tenant)
        else { throw Problem.notFound("patient") }
        let record = try await PersonRecord.read(row, ring, scope, sql)
        var parts: [(String, JSONObject)] = []
        for service in Self.others {
            guard let part = try await host.cards.ask(service, "/internal/export/patients/\(id)", as: caller) else {
                throw Problem.unavailable(retryAfter: 2)
            }
            parts.append((service, part))
        }
        let now = host.now()
        scope.trail?.read("patient", id.description, of: id, on: row.ground, action: "export")
        var response = Response.json(200, Export(record: record, at: now, parts: parts))
        response.headers.append(("Content-Disposition", "attachment; filename=\"record-\(id).json\""))
        return response
    }

    private struct Export: JSONWritable {
        let record: PersonRecord
        let at: Timestamp
        let parts: [(String, JSONObject)]

        func write(to json: inout JSONWriter) {
            json.object {
                $0.field("patientId", record.patient.id)
                $0.field("exportedAt", at)
                $0.key("fhir")
                $0.value(FHIRRecord(record: record))
                $0.object("services") { services in
                    services.key("clinical")
                    services.value(record)
                    for (name, part) in parts { services.field(name, JSONValue.object(part)) }
                }
            }
        }
    }
}
