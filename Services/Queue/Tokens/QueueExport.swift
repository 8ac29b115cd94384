import Access
import Bootstrap
import Loop
import Postgres
import Primitives

/// What queue keeps about one patient.
enum QueueExport {
    @LoopActor static func route(_ host: Host) -> Route {
        PersonExport.route([
            .rows(of: "token", host) { patient in "patient_id = \(patient)" },
            .rows(of: "patient_card", host) { patient in "patient_id = \(patient)" },
            .rows(of: "appointment_card", host) { patient in "patient_id = \(patient)" },
        ])
    }
}
