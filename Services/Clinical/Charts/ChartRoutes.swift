import Access
import Bootstrap
import Contracts
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// Where a clinic draws the line, which charts are locked beyond it, and who is let in by a colleague.
@LoopActor struct ChartRoutes {
    let host: Host
    let keys: TenantKeys
    let care: CareTerms

    var table: [Route] {
        [
            .get(
                "/v1/charts/policy", for: .readChartPolicy,
                .init("Tell which charts open to the clinic's doctors", answers: [(200, Self.policy)]), show),
            .put(
                "/v1/charts/policy", for: .manageChartPolicy,
                .init("Decide which charts open to the clinic's doctors", body: Self.policy, answers: [(200, Self.policy)]),
                change
            ).afterStepUp(),
            .put(
                "/v1/patients/:id/restriction", for: .restrictCharts,
                .init(
                    "Lock a chart to its own clinicians, or unlock it",
                    body: .object([
                        .required("restricted", .boolean),
                        .optional("reason", .text(min: 10, max: 1_000), "Why it is unlocked, by somebody who does not treat the patient: somebody else will review it"),
                    ]), answers: [(204, nil)], problems: ["chart_restricted", "reason_required"]), restrict
            ).afterStepUp(within: .seconds(300)),
            .post(
                "/v1/patients/:id/referrals", for: .referPatients,
                .init(
                    "Let a colleague treat a patient too", body: .object([.required("accountId", .id)]),
                    answers: [(204, nil)], problems: ["chart_restricted", "colleague_unknown"]), refer),
        ]
    }

    private static let policy = Schema.object([
        .required(
            "policy", .choice(ChartPolicy.allCases.map(\.rawValue)),
            "care: their own patients; location: those of their site too; tenant: all")
    ])

    private func show(_ request: Request, _ caller: Principal) async throws -> Response {
        let policy = try await host.db.reader(for: caller.tenant)
            .first("select policy from chart_policy", as: { try $0.next(as: String.self) })
        return .json(200, JSONObject([("policy", .string(policy ?? ChartPolicy.location.rawValue))]))
    }

    private func change(_ request: Request, _ caller: Principal) async throws -> Response {
        guard let policy = ChartPolicy(rawValue: try request.body.required("policy")) else { throw Problem.notFound("policy") }
        return try await host.write(request, by: caller) { tx in
            let before = try await tx.first("select policy from chart_policy for update", as: { try $0.next(as: String.self) })
            try await tx.run(
                """
                insert into chart_policy as c (policy) values (\(policy))
                on conflict (tenant_id) do update set policy = excluded.policy, version = c.version + 1
                """)
            try tx.audit(
                "change", "chart_policy", caller.tenant.description,
                before: JSONObject([("policy", .string(before ?? ChartPolicy.location.rawValue))]),
                after: JSONObject([("policy", .string(policy.rawValue))]))
            return .json(200, JSONObject([("policy", .string(policy.rawValue))]))
        }
    }

    private func restrict(_ request: Request, _ caller: Principal) async throws -> Response {
        let id: PatientID = try request.id("id")
        let restricted: Bool = try request.body.required("restricted")
        let reason: String? = try request.body.optional("reason")
        let now = host.now()
        // An administrator locks and unlocks without opening; a doctor only what is open to them.
        let scope = caller.has(.admin) ? caller.deskScope : caller.chartScope
        let ring = try await keys.ring(for: caller.tenant)
        return try await host.write(request, by: caller) { tx in
            let store = PatientStore(sql: tx, scope: scope)
            guard let row = try await store.findForUpdate(id) else {
                throw try await ChartRefusal(sql: tx, scope: scope).patient(id)
            }
            let isDoor = try await BreakGlassStore(sql: tx, scope: scope).isDoor(of: caller.account, to: id, at: now)
            guard caller.has(.admin) || !isDoor else { throw Problem.chartRestricted }
            guard row.restricted != restricted else { return .noContent }

            var after = JSONObject([("restricted", .bool(restricted))])
            let ground = try await PatientStore(sql: tx, scope: caller.chartScope).ground(for: id)
            // Who does not treat the patient is judged for letting everybody in.
            if !restricted, ground != "care" || isDoor {
                guard let reason else { throw CareError.reasonRequired }
                let entry = BreakGlass(
                    id: GlassID(), kind: .unlocked, patient: id, account: caller.account, location: caller.location,
                    reason: reason, grantedAt: now, expiresAt: now)
                try await BreakGlassStore(sql: tx, scope: scope).keep(entry, in: row.vault(ring, scope), tx)
                after["grantId"] = .string(entry.id.description)
            }
            try await store.restrict(id, restricted)
            try tx.announce(PatientRestrictionChanged(patientID: id, isRestricted: restricted, at: now), revision: 0)
            try tx.audit(
                "restrict", "patient", id.description, of: id,
                before: JSONObject([("restricted", .bool(row.restricted))]), after: after)
            return .noContent
        }
    }

    private func refer(_ request: Request, _ caller: Principal) async throws -> Response {
        let id: PatientID = try request.id("id")
        let colleague: AccountID = try request.body.required("accountId")
        let scope = caller.chartScope
        return try await host.write(request, by: caller) { tx in
            // Nobody lets others in where they may not go themselves; a broken glass is no door for a second one, nor is
            // the visit that began on it.
            guard let ground = try await PatientStore(sql: tx, scope: scope).ground(for: id) else {
                throw try await ChartRefusal(sql: tx, scope: scope).patient(id)
            }
            let isDoor = try await BreakGlassStore(sql: tx, scope: scope).isDoor(of: caller.account, to: id, at: host.now())
            guard ground != ReadTrail.brokenGlass, !isDoor else { throw Problem.chartRestricted }
            guard try await PractitionerCardStore(sql: tx).isKnown(colleague) else { throw CareError.colleagueUnknown }
            try await CareStore(sql: tx).remember(
                id, with: colleague, at: caller.location, .referral, until: care.end(of: host.now(), care.afterReferral))
            try tx.audit(
                "refer", "patient", id.description, of: id,
                after: JSONObject([("accountId", .string(colleague.description))]))
            return .noContent
        }
    }
}

enum CareError: Error, Equatable {
    /// A referral to nobody would wait for whoever gets that identifier.
    case colleagueUnknown
    /// Whoever unlocks a chart of somebody they do not treat says why.
    case reasonRequired
}

/// The one place where these refusals become HTTP.
extension CareError: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .colleagueUnknown: .refused("colleague_unknown", "There is no such colleague.")
        case .reasonRequired:
            .refused("reason_required", "You do not treat this patient: say why in `reason`. Somebody else will review it.")
        }
    }
}
