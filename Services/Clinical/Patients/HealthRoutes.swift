import Access
import Bootstrap
import HTTP
import JSON
import Loop
import Postgres
import Primitives

/// Allergies and conditions: recorded by those who treat, because prescriptions are checked against them.
@LoopActor struct HealthRoutes {
    let host: Host
    let keys: TenantKeys

    var table: [Route] {
        [
            .patch(
                "/v1/patients/:id/health", for: .recordVisits,
                .init(
                    "Add and retire allergies and conditions; what is not named stays", body: .healthChange,
                    answers: [(200, .patient)], problems: ["health_fact_unknown", "chart_restricted"], isMergePatch: true), record)
        ]
    }

    private func record(_ request: Request, _ caller: Principal) async throws -> Response {
        let id: PatientID = try request.id("id")
        let version = try request.ifMatch()
        let change = try PatientForm.readHealth(request.body)
        let ring = try await keys.ring(for: caller.tenant)

        return try await host.write(request, by: caller) { tx in
            let scope = caller.chartScope
            guard let row = try await PatientStore(sql: tx, scope: scope).findForUpdate(id) else {
                throw try await ChartRefusal(sql: tx, scope: scope).patient(id)
            }
            guard row.version == version else { throw Problem.staleVersion }
            let old = Patient(row, personal: try Personal(stored: row.open(ring, scope)))
            var patient = old
            if let changed = patient.change(to: try old.personal.recording(change), active: old.active) {
                try await ChangePatient(vault: row.vault(ring, scope), scope: scope, account: caller.account)
                    .save(patient, replacing: old, changed, in: tx)
            } else {
                scope.trail?.read("patient", id.description, of: id, on: row.ground)
            }
            return .json(200, PatientView(patient), version: patient.version)
        }
    }
}
