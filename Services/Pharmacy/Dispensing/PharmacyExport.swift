import Access
import Bootstrap
import Loop
import Postgres
import Primitives

/// What pharmacy keeps about one patient.
enum PharmacyExport {
    @LoopActor static func route(_ host: Host) -> Route {
        PersonExport.route([
            .rows(of: "prescription_card", host) { patient in "patient_id = \(patient)" },
            .rows(of: "dispensing", host) { patient in "patient_id = \(patient)" },
            .rows(of: "dispensing_line", host) { patient in "dispensing_id in (select id from dispensing where patient_id = \(patient))" },
        ])
    }
}
