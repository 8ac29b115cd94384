import Access
import Bootstrap
import HTTP
import JSON
import Loop
import Postgres
import Primitives

/// What records said before they were changed, and who changed them: for those who may see the whole of them.
@LoopActor struct VersionRoutes {
    let host: Host
    let keys: TenantKeys

    var table: [Route] {
        [
            .get(
                "/v1/patients/:id/versions", for: .readVisits,
                .init(
                    "List what a patient's record said before each change, the newest first", query: .paging,
                    answers: [(200, .page(of: FormerVersion.schema(of: FormerPatient.schema)))], problems: ["chart_restricted"]),
                ofPatient),
            .get(
                "/v1/visits/:id/versions", for: .readVisits,
                .init(
                    "List what a visit said before each change, the newest first", query: .paging,
                    answers: [(200, .page(of: FormerVersion.schema(of: .findings)))], problems: ["chart_restricted"]),
                ofVisit),
        ]
    }

    private func ofPatient(_ request: Request, _ caller: Principal) async throws -> Response {
        let id: PatientID = try request.id("id")
        let sql = host.db.reader(for: caller.tenant)
        let scope = caller.chartScope
        guard let row = try await PatientStore(sql: sql, scope: scope).find(id),
            let ring = try await keys.existing(caller.tenant)
        else { throw try await ChartRefusal(sql: sql, scope: scope).patient(id) }
        scope.trail?.read("patient_versions", id.description, of: id, on: row.ground)
        let versions = VersionStore(vault: try row.vault(ring, scope))
        return try await page(request) { try await versions.page(of: id, before: $0, limit: $1, sql) }
    }

    private func ofVisit(_ request: Request, _ caller: Principal) async throws -> Response {
        let id: VisitID = try request.id("id")
        let sql = host.db.reader(for: caller.tenant)
        let scope = caller.chartScope
        guard let row = try await VisitStore(sql: sql, scope: scope).find(id),
            let ring = try await keys.existing(caller.tenant)
        else { throw try await ChartRefusal(sql: sql, scope: scope).visit(id) }
        scope.trail?.read("visit_versions", id.description, of: row.patient, on: row.ground)
        let versions = VersionStore(vault: try row.vault(ring, scope))
        return try await page(request) { try await versions.page(of: id, before: $0, limit: $1, sql) }
    }

    private func page(
        _ request: Request, _ read: @LoopActor (_ before: Int?, _ limit: Int) async throws -> [FormerVersion]
    ) async throws -> Response {
        let limit = try request.query.optional("limit", as: Int.self) ?? 50
        var last: Int?
        if let cursor = try request.query.optional("cursor", as: String.self) {
            guard let version = try Cursor.decode(cursor).first.flatMap({ Int32($0) }) else {
                throw Problem.invalid("cursor", "invalid_cursor", "Use nextCursor of the page before.")
            }
            last = Int(version)
        }
        let rows = try await read(last, limit + 1)
        let shown = Array(rows.prefix(limit))
        let next = rows.count > limit ? shown.last.map { Cursor.encode(["\($0.version)"]) } : nil
        return .page(shown, next: next, of: request)
    }
}
