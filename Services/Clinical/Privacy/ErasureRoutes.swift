import Access
import Bootstrap
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// Erasing a person, holding a record back from it, and how long a tenant must keep records.
@LoopActor struct ErasureRoutes {
    let host: Host
    let erasing: ErasePatients

    var table: [Route] {
        [
            .post(
                "/v1/patients/:id/erasure", for: .erasePatients,
                .init(
                    "Erase a person, now or on the first day the law allows",
                    body: .object([
                        .required("ground", .choice(ErasePatients.Ground.allCases.map(\.rawValue)))
                    ]), answers: [(200, Self.state), (202, Self.state)],
                    problems: ["legal_hold", "visit_open", "patient_seen"]), erase
            ).afterStepUp(),
            .put(
                "/v1/patients/:id/legal-hold", for: .erasePatients,
                .init("Hold a record back from erasure", answers: [(204, nil)]), hold
            ).afterStepUp(),
            .delete(
                "/v1/patients/:id/legal-hold", for: .erasePatients, .init("Lift the hold", answers: [(204, nil)]), lift
            ).afterStepUp(),
            .get(
                "/v1/retention", for: .erasePatients,
                .init("Tell how many years records are kept after the last visit", answers: [(200, Self.retention)]), years),
            .put(
                "/v1/retention", for: .erasePatients,
                .init("Set how many years records are kept", body: Self.retention, answers: [(200, Self.retention)]), keep
            ).afterStepUp(),
        ]
    }

    private static let retention = Schema.object([.required("years", .integer(0...100))])
    private static let state = Schema.object([
        .required("patientId", .id), .required("status", .choice(["erased", "scheduled"])), .optional("notBefore", .date),
    ])

    private func erase(_ request: Request, _ caller: Principal) async throws -> Response {
        let patient: PatientID = try request.id("id")
        let ground: ErasePatients.Ground = try request.body.required("ground")
        let now = host.now()
        let today = caller.today(at: now)
        return try await host.write(request, by: caller) { tx in
            guard try await PatientStore(sql: tx, scope: caller.deskScope).isActive(patient) != nil else { throw Problem.notFound("patient") }
            try await tx.run(
                """
                insert into erasure (patient_id, requested_by, requested_at, ground, not_before)
                values (\(patient), \(caller.account), \(now), \(ground), \(today))
                on conflict (patient_id) do update set ground = excluded.ground, not_before = excluded.not_before
                where erasure.done_at is null
                """)
            if let notBefore = try await erasing.erase(patient, on: ground, today: today, at: now, tx) {
                try tx.audit(
                    "schedule_erasure", "patient", patient.description, of: patient,
                    after: JSONObject([("notBefore", .string(notBefore.description)), ("ground", .string(ground.rawValue))]))
                return .json(202, State(patient: patient, status: "scheduled", notBefore: notBefore))
            }
            return .json(200, State(patient: patient, status: "erased", notBefore: nil))
        }
    }

    private struct State: JSONWritable {
        let patient: PatientID
        let status: String
        let notBefore: LocalDate?
        func write(to json: inout JSONWriter) {
            json.object {
                $0.field("patientId", patient)
                $0.field("status", status)
                $0.field("notBefore", notBefore)
            }
        }
    }

    private func hold(_ request: Request, _ caller: Principal) async throws -> Response {
        try await setHold(request, caller, by: caller.account, "hold")
    }

    private func lift(_ request: Request, _ caller: Principal) async throws -> Response {
        try await setHold(request, caller, by: nil, "lift_hold")
    }

    private func setHold(
        _ request: Request, _ caller: Principal, by account: AccountID?, _ action: String
    ) async throws -> Response {
        let patient: PatientID = try request.id("id")
        let at = account == nil ? nil : host.now()
        return try await host.write(request, by: caller) { tx in
            let changed = try await tx.run(
                "update patient set held_by = \(account), held_at = \(at) where id = \(patient) and erased_at is null")
            guard changed == 1 else { throw Problem.notFound("patient") }
            try tx.audit(
                action, "patient", patient.description, of: patient,
                after: JSONObject([("held", .bool(account != nil))]))
            return .noContent
        }
    }

    private func years(_ request: Request, _ caller: Principal) async throws -> Response {
        let years = try await host.db.reader(for: caller.tenant).first(
            "select years from retention", as: { try $0.next(as: Int.self) })
        return .json(200, JSONObject([("years", .int(Int64(years ?? ErasePatients.defaultYears)))]))
    }

    private func keep(_ request: Request, _ caller: Principal) async throws -> Response {
        let years: Int = try request.body.required("years")
        let now = host.now()
        return try await host.write(request, by: caller) { tx in
            let before = try await tx.first("select years from retention", as: { try $0.next(as: Int.self) })
            try await tx.run(
                """
                insert into retention (years, set_by, set_at) values (\(years), \(caller.account), \(now))
                on conflict (tenant_id) do update
                set years = excluded.years, set_by = excluded.set_by, set_at = excluded.set_at
                """)
            try tx.audit(
                "set_retention", "retention", caller.tenant.description,
                before: JSONObject([("years", .int(Int64(before ?? ErasePatients.defaultYears)))]),
                after: JSONObject([("years", .int(Int64(years)))]))
            return .json(200, JSONObject([("years", .int(Int64(years)))]))
        }
    }
}

extension ErasePatients.Refusal: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .held: .conflict("legal_hold", "This record is held back from erasure. Lift the hold first.")
        case .openVisit: .conflict("visit_open", "The patient is being seen. Complete the visit first.")
        case .seen: .conflict("patient_seen", "The patient was seen, so the record is no error. Ask on another ground.")
        case .unknown: .notFound("patient")
        }
    }
}
