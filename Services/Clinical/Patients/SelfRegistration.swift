import Access
import Bootstrap
import HTTP
import JSON
import Loop
import Messaging
import Postgres
import Primitives

/// The record of somebody who signed up by themselves: their account names it before it is there, nobody opens it but
/// they, and once. Two records of one person are the desk's to find.
@LoopActor struct SelfRegistration {
    let host: Host
    let keys: TenantKeys
    let numbers: RecordNumbers

    var table: [Route] {
        [
            .post(
                "/v1/patients/self", for: .registerSelf,
                .init(
                    "Open one's own record after signing up", body: .newPatient, answers: [(201, .patient)],
                    problems: ["already_registered"]), register)
        ]
    }

    private func register(_ request: Request, _ caller: Principal) async throws -> Response {
        guard let own = caller.patient else { throw Problem.forbidden }
        let now = host.now()
        let today = caller.today(at: now)
        let personal = try PatientForm.read(request.body, today: today)
        let ring = try await keys.ring(for: caller.tenant)

        return try await numbers.spend(of: caller.tenant) { mrn in
            try await host.write(request, by: caller) { tx in
                let taken = Problem.conflict("already_registered", "Your record is there already.")
                // The record's key refuses a second one; so does what it is found by, which is written first.
                return try await onConstraint("patient_key_found", throw: taken) {
                    try await onConstraint("patient_pkey", throw: taken) {
                        let patient = try await RegisterPatient(
                            ring: ring, scope: caller.identityScope, location: caller.location
                        ).register(personal, as: own, numbered: mrn, at: now, today: today, in: tx)
                        return .created(PatientView(patient), version: patient.version, at: "/v1/patients/\(patient.id)")
                    }
                }
            }
        }
    }
}
