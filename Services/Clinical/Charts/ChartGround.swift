import Access
import HTTP
import Loop
import Postgres
import Primitives

/// Where a clinic draws the line for its doctors; nurses work by site under every policy.
enum ChartPolicy: String, CaseIterable, Sendable, SQLBindable {
    /// The charts of people one treats: a visit, an appointment, an arrival or a referral.
    case care
    /// Those of the site as well: the default, for clinics where colleagues stand in for each other.
    case location
    /// Those of the whole tenant.
    case tenant
}

extension PatientScope {
    /// On what ground row `p` of `patient` may be opened, as SQL: null where it may not. Every statement that answers
    /// with something of a chart asks for it, and a chart that is restricted opens to its own clinicians and to a
    /// broken glass only (docs/decisions/0007-who-may-open-a-chart.md).
    var ground: SQL { isShared ? "case when \(agreedToSharing) then (\(roleGround)) end" : roleGround }

    /// On the patient's word as it stands now: whoever takes it back is heard with the next statement. A patient's own application
    /// needs none, they gave it the key themselves (docs/decisions/0043-consents-that-bind.md).
    private var agreedToSharing: SQL {
        "exists (select from consent c where c.patient_id = p.id and c.purpose = 'sharing' and c.withdrawn_at is null)"
    }

    private var roleGround: SQL {
        switch patients {
        case .everyone: return "'role'"
        case .only(let own): return "case when p.id = any(\(own)::uuid[]) then 'own' end"
        case .unrestricted: return "case when not p.restricted then 'role' when \(brokenGlass) then 'break_glass' end"
        case .charts:
            return """
                case
                    when \(isMine) then 'care'
                    when not p.restricted and \(seesSite) and \(isOfSite) then 'site'
                    when not p.restricted and \(policy) = 'tenant' then 'tenant'
                    when \(brokenGlass) then 'break_glass'
                end
                """
        }
    }

    /// The clause for statements that need no ground.
    var clause: SQL { "(\(ground)) is not null" }

    /// Whether the clinic's rule opens the charts of the caller's site to them.
    var seesSite: SQL { isBySite ? "true" : "\(policy) in ('location', 'tenant')" }

    private var policy: SQL { "coalesce((select policy from chart_policy), 'location')" }

    private var isMine: SQL {
        """
        exists (select from care_relation c where c.patient_id = p.id and c.ends_at > now() and (c.who = \(account)
                or c.who in (select provider_id from provider_card where account_id = \(account))))
        """
    }

    private var isOfSite: SQL {
        """
        (p.location_id = \(location)
            or exists (select from care_relation c where c.patient_id = p.id and c.location_id = \(location)
                       and c.ends_at > now()))
        """
    }

    private var brokenGlass: SQL {
        """
        exists (select from glass_grant g where g.patient_id = p.id and g.account_id = \(account) and g.kind = 'opened'
                and g.expires_at > now())
        """
    }
}

/// Why there is nothing behind an identifier for this caller.
@LoopActor struct ChartRefusal {
    let sql: any SQLSession
    let scope: PatientScope

    /// A clinician may know that the patient exists, because searching tells; the chart is closed to them until they
    /// have to do with the patient or break the glass. A patient learns nothing. Whose key was destroyed was never here.
    func patient(_ id: PatientID) async throws -> Problem {
        try await refusal("patient", of: "select person_id from data_key where person_id = \(id)")
    }

    func visit(_ id: VisitID) async throws -> Problem {
        try await refusal("visit", of: "select k.person_id from visit v join data_key k on k.person_id = v.patient_id where v.id = \(id)")
    }

    func prescription(_ id: PrescriptionID) async throws -> Problem {
        try await refusal("prescription", of: "select k.person_id from prescription r join data_key k on k.person_id = r.patient_id where r.id = \(id)")
    }

    /// Whose it is goes into the trail whatever the caller is told.
    private func refusal(_ what: String, of patient: SQL) async throws -> Problem {
        let owner = try await sql.first(patient, as: { try $0.next(as: PatientID.self) })
        scope.trail?.refuse(owner)
        guard scope.patients == .charts || scope.patients == .unrestricted, owner != nil else { return .notFound(what) }
        return .chartRestricted
    }
}

extension Problem {
    static let chartRestricted = Problem(
        403, "chart_restricted",
        "You have nothing to do with this patient yet. In an emergency: POST /v1/patients/{id}/break-glass.")
}
