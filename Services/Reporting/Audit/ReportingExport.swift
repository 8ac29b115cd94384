import Access
import Bootstrap
import Loop
import Postgres
import Primitives

/// What reporting keeps about one patient.
enum ReportingExport {
    @LoopActor static func route(_ host: Host) -> Route {
        PersonExport.route([
            .rows(of: "audit_entry", host) { patient in
                "patient_id = \(patient) or (resource = 'patient' and resource_id = \(patient)::text)"
            },
            .rows(of: "daily_patient", host) { patient in "patient_id = \(patient)" },
        ])
    }
}
